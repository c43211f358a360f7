from typing import Any

from django.db import migrations
from django.db.models import F, Value
from django.db.models.functions import Concat


def name_by_number(apps: Any, _schema_editor: Any) -> None:
    """What `partner_portal.core.admin_history` writes now, in what was written before."""
    entries = apps.get_model("admin", "LogEntry").objects
    entries.filter(object_id__regex=r"^[0-9]+$").update(object_repr=Concat(Value("#"), F("object_id")))
    entries.exclude(object_id__regex=r"^[0-9]+$").update(object_repr="#…")


class Migration(migrations.Migration):
    dependencies = [("core", "0003_history_of_a_row"), ("admin", "0003_logentry_add_action_flag_choices")]

    operations = [migrations.RunPython(name_by_number, migrations.RunPython.noop)]
