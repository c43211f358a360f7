"""When a connection last changed, for systems that read along."""

import django.db.models.functions.datetime
import django.utils.timezone
from django.db import migrations, models

from partner_portal.live_migrations import AddIndexLive


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("integrations", "0004_one_unfinished_activation")]

    operations = [
        migrations.AlterModelOptions(
            name="connection",
            options={"base_manager_name": "objects", "verbose_name": "connection", "verbose_name_plural": "connections"},
        ),
        migrations.AddField(
            model_name="connection",
            name="updated_at",
            field=models.DateTimeField(
                db_default=django.db.models.functions.datetime.Now(),
                default=django.utils.timezone.now,
                editable=False,
                verbose_name="updated",
            ),
        ),
        AddIndexLive(
            model_name="connection",
            index=models.Index(fields=["updated_at"], name="connection_by_change"),
        ),
    ]
