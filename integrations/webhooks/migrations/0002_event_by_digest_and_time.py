from django.db import migrations, models

from partner_portal.core.live_migrations import AddIndexLive, RemoveIndexLive


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("webhooks", "0001_initial")]

    operations = [
        # It serves the code of the version before, too.
        AddIndexLive(
            model_name="event",
            index=models.Index(fields=["digest", "received_at"], name="event_by_digest_and_time"),
        ),
        RemoveIndexLive(model_name="event", name="event_by_digest"),
    ]
