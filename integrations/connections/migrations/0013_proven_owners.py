from typing import Any

from django.db import migrations
from django.db.models import CharField, F, Value
from django.db.models.functions import Cast, Concat


def note_owners(apps: Any, _schema_editor: Any) -> None:
    """Mark as proven what was accepted for an address before its owner opened the e-mail.

    The versions before this one did not write it down, so the CRM token that came along would not count as theirs.
    """
    connections = apps.get_model("connections", "Connection").objects
    own_claim = Concat(Value("u:"), Cast("owner_id", CharField()))
    theirs = connections.filter(state__in=("active", "frozen"), is_proven=False, owner__email_proven_at__isnull=False)
    theirs = theirs.alias(own_claim=own_claim).filter(claim=F("own_claim"))
    connections.filter(pk__in=list(theirs.values_list("pk", flat=True))).update(is_proven=True)


class Migration(migrations.Migration):
    dependencies = [("connections", "0012_trial_days_followed"), ("accounts", "0011_erased_before")]

    operations = [migrations.RunPython(note_owners, migrations.RunPython.noop)]
