"""The rare states that the watch looks for each minute have indexes of their own."""

from django.db import migrations, models

from partner_portal.live_migrations import AddIndexLive


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ('integrations', '0010_claims_and_their_proofs'),
    ]

    operations = [
        AddIndexLive(
            model_name='chain',
            index=models.Index(condition=models.Q(('telephony__in', ('enabling', 'disabling'))), fields=['id'], name='chain_being_switched'),
        ),
        AddIndexLive(
            model_name='channelswitch',
            index=models.Index(condition=models.Q(('sync_state', 'queued')), fields=['id'], name='channel_queued'),
        ),
        AddIndexLive(
            model_name='sendernamelist',
            index=models.Index(condition=models.Q(('sync_state', 'queued')), fields=['id'], name='sender_names_queued'),
        ),
    ]
