from django.db import migrations, models

from partner_portal.live_migrations import AddIndexLive


class Migration(migrations.Migration):
    """Indexes for the metrics of the last hour, and for deleting what is old."""

    atomic = False

    dependencies = [
        ('integrations', '0005_told_and_compared'),
    ]

    operations = [
        AddIndexLive(
            model_name='outgoingcall',
            index=models.Index(
                condition=models.Q(('finished_at__isnull', False)),
                fields=['finished_at', 'kind', 'state'],
                name='call_finished',
            ),
        ),
        AddIndexLive(
            model_name='connection',
            index=models.Index(
                condition=models.Q(('activated_at__isnull', False)),
                fields=['activated_at'],
                name='connection_activated',
            ),
        ),
    ]
