from django.db import migrations, models

from partner_portal.live_migrations import AddIndexLive


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("billing", "0001_payments")]

    operations = [
        AddIndexLive(
            "payment",
            models.Index(
                fields=["altegio_payment_id"],
                condition=models.Q(altegio_payment_id__isnull=False),
                name="payment_by_id_of_altegio",
            ),
        )
    ]
