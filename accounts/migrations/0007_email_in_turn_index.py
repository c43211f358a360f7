from django.db import migrations, models

from partner_portal.core.live_migrations import AddIndexLive


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("accounts", "0006_emails_in_turn")]

    operations = [
        AddIndexLive(
            model_name="outgoingemail",
            index=models.Index(
                fields=["goes_first", "created_at"], condition=models.Q(sent_at=None), name="email_in_turn"
            ),
        ),
    ]
