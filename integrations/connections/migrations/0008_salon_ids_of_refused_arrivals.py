from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("connections", "0007_handover_url")]

    operations = [
        migrations.AddField(
            model_name="refusedarrival",
            name="salon_ids",
            field=models.JSONField(
                db_default=models.Value([], models.JSONField()), default=list, verbose_name="locations"
            ),
        ),
    ]
