"""The rare states that the watch looks for each minute have indexes of their own."""

from django.db import migrations, models

from partner_portal.live_migrations import AddIndexLive


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ('billing', '0005_what_a_payment_said_before'),
        ('integrations', '0011_found_by_the_watch'),
    ]

    operations = [
        AddIndexLive(
            model_name='discount',
            index=models.Index(condition=models.Q(('state', 'queued')), fields=['id'], name='discount_queued'),
        ),
        AddIndexLive(
            model_name='paymentlink',
            index=models.Index(condition=models.Q(('state', 'queued')), fields=['id'], name='payment_link_queued'),
        ),
    ]
