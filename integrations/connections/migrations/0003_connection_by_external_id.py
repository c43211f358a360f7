from django.db import migrations, models

from partner_portal.core.live_migrations import AddIndexLive


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("connections", "0002_external_ids")]

    operations = [
        AddIndexLive(
            model_name="connection",
            index=models.Index(
                condition=models.Q(("external_id", ""), _negated=True),
                fields=["external_id", "-id"],
                name="connection_by_external_id",
            ),
        ),
    ]
