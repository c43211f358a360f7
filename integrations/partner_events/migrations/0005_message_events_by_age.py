from django.db import migrations, models

from partner_portal.core.live_migrations import AddIndexLive


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("partner_events", "0004_subscriptions")]

    operations = [
        AddIndexLive(
            model_name="partnerevent",
            index=models.Index(
                condition=models.Q(("type", "message.requested")),
                fields=["created_at"],
                name="partner_event_of_messages",
            ),
        ),
    ]
