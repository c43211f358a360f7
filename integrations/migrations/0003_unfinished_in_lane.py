"""An index of what a lane still holds: a long-lived lane has tens of thousands of finished calls."""

from django.db import migrations, models

from partner_portal.live_migrations import AddIndexLive


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("integrations", "0002_telephony_since")]

    operations = [
        AddIndexLive(
            model_name="outgoingcall",
            index=models.Index(
                fields=["lane", "id"],
                condition=models.Q(("state__in", ("held", "queued", "sending", "doubtful"))),
                name="call_unfinished_in_lane",
            ),
        )
    ]
