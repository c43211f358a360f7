from typing import Any

from django.db import migrations
from django.utils import timezone


def note_erased(apps: Any, _schema_editor: Any) -> None:
    """Whoever counted as erased so far, closed and without an address, and of whom nothing is left indeed.

    When it was nobody knows.
    """
    users = apps.get_model("accounts", "User").objects
    empty = users.filter(is_active=False, email=None, name="", phone="", identities=None, erased_at=None)
    users.filter(pk__in=list(empty.values_list("pk", flat=True))).update(erased_at=timezone.now())


class Migration(migrations.Migration):
    """By itself, so that the new column's lock on the table does not last until the rows are written."""

    dependencies = [("accounts", "0010_erased_at")]

    operations = [migrations.RunPython(note_erased, migrations.RunPython.noop)]
