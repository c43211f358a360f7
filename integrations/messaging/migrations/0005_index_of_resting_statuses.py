from django.db import migrations, models

from partner_portal.core.live_migrations import AddIndexLive


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("messaging", "0004_rests_and_warnings_of_statuses")]

    operations = [
        AddIndexLive(
            model_name="statusbatch",
            index=models.Index(
                condition=models.Q(("rests_until__isnull", False)),
                fields=["address", "rests_until"],
                name="status_batch_resting",
            ),
        ),
    ]
