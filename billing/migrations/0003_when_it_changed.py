"""When a payment last changed, for systems that read along."""

import django.db.models.functions.datetime
import django.utils.timezone
from django.db import migrations, models

from partner_portal.live_migrations import AddIndexLive


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("billing", "0002_find_payments_by_altegios_id")]

    operations = [
        migrations.AlterModelOptions(
            name="payment",
            options={
                "base_manager_name": "objects",
                "permissions": [("refund_payment", "Can refund payments")],
                "verbose_name": "payment",
                "verbose_name_plural": "payments",
            },
        ),
        migrations.AddField(
            model_name="payment",
            name="updated_at",
            field=models.DateTimeField(
                db_default=django.db.models.functions.datetime.Now(),
                default=django.utils.timezone.now,
                editable=False,
                verbose_name="updated",
            ),
        ),
        AddIndexLive(
            model_name="payment",
            index=models.Index(fields=["updated_at"], name="payment_by_change"),
        ),
    ]
