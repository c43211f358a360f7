"""The application's own address for events is a webhook now (partner_events 0003).

Its columns stay for this release, because the running code still reads them; the next one drops them.
"""

from django.db import migrations, models

import partner_portal.core.encryption

COLUMNS = ("events_url", "events_secret", "events_rest_until")


class Migration(migrations.Migration):
    dependencies = [("connections", "0003_connection_by_external_id"), ("partner_events", "0003_altegio_events")]

    operations = [
        # What does not know the columns any more writes rows without them.
        migrations.AlterField("application", "events_url", models.URLField(blank=True, db_default="")),
        migrations.AlterField(
            "application",
            "events_secret",
            partner_portal.core.encryption.EncryptedTextField(blank=True, db_default="", editable=False),
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[migrations.RemoveField("application", name) for name in COLUMNS]
        ),
    ]
