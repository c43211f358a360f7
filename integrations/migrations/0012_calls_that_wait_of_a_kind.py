"""Whether a call of some kind waits is seen without reading those that have ended."""

from django.db import migrations, models

from partner_portal.live_migrations import AddIndexLive


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ('integrations', '0011_found_by_the_watch'),
    ]

    operations = [
        AddIndexLive(
            model_name='outgoingcall',
            index=models.Index(condition=models.Q(('state__in', ('held', 'queued', 'sending', 'doubtful'))), fields=['kind'], name='call_unfinished_of_kind'),
        ),
    ]
