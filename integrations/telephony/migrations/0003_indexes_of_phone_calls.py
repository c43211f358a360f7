from django.db import migrations, models

from partner_portal.core.live_migrations import AddIndexLive


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("telephony", "0002_lines_legs_and_kept_calls")]

    operations = [
        AddIndexLive(
            model_name="phonecall",
            index=models.Index(fields=["call_id"], name="phone_call_by_call_id"),
        ),
        AddIndexLive(
            model_name="phonecall",
            index=models.Index(fields=["location", "-id"], name="phone_call_by_location"),
        ),
        AddIndexLive(
            model_name="phonecall",
            index=models.Index(
                condition=models.Q(("kept_until__isnull", False)), fields=["kept_until"], name="phone_call_kept_until"
            ),
        ),
    ]
