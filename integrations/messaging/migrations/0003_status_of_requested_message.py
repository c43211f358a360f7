from django.db import migrations, models

from partner_portal.core.live_migrations import AddIndexLive


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('messaging', '0002_requested_messages'),
    ]

    operations = [
        AddIndexLive(
            model_name='messagestatus',
            index=models.Index(condition=models.Q(('requested_message__isnull', False)), fields=['requested_message'], name='status_of_requested_message'),
        ),
    ]
