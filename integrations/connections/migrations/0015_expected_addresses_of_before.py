import hashlib
from typing import Any

from django.db import migrations


def note_addresses(apps: Any, _schema_editor: Any) -> None:
    """Note at the arrivals that wait which address they expect: that of the account which the former version noted.

    An arrival that the former version stores beside this one is not found: its owner presses Connect once more.
    """
    arrivals = apps.get_model("connections", "Arrival").objects.filter(expected_address_hash="")
    expected = arrivals.exclude(expected_user=None).exclude(expected_user__email=None)
    for user, email in set(expected.values_list("expected_user", "expected_user__email")):
        # The same as accounts.mail_addresses.address_hash at this version.
        address = hashlib.sha256(f"visitor:{email.lower()}".encode()).hexdigest()[:32]
        arrivals.filter(expected_user=user).update(expected_address_hash=address)


class Migration(migrations.Migration):
    dependencies = [("connections", "0014_expected_addresses"), ("accounts", "0011_erased_before")]

    operations = [migrations.RunPython(note_addresses, migrations.RunPython.noop)]
