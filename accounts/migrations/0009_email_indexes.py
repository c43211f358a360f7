from django.db import migrations, models

from partner_portal.core.live_migrations import AddIndexLive, RemoveIndexLive

UNSENT_EMAIL = models.Q(sent_at=None, refused_at=None)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("accounts", "0008_refused_emails")]

    operations = [
        AddIndexLive(
            model_name="outgoingemail",
            index=models.Index(fields=["created_at"], condition=UNSENT_EMAIL, name="email_unsent"),
        ),
        AddIndexLive(
            model_name="outgoingemail",
            index=models.Index(
                fields=["goes_first", "attempt_count", "created_at"], condition=UNSENT_EMAIL, name="email_next"
            ),
        ),
        RemoveIndexLive(model_name="outgoingemail", name="email_waiting"),
        RemoveIndexLive(model_name="outgoingemail", name="email_in_turn"),
    ]
