from django.db import migrations, models

from partner_portal.core.live_migrations import AddIndexLive


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("connections", "0015_expected_addresses_of_before")]

    operations = [
        AddIndexLive(
            model_name="connection",
            index=models.Index(
                condition=models.Q(("state__in", ("granted", "conflict"))),
                fields=["claim"],
                name="connection_by_claim",
            ),
        ),
    ]
