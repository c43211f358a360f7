from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("connections", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="connection",
            name="external_id",
            field=models.CharField(blank=True, db_default="", max_length=200, verbose_name="partner's id"),
        ),
        migrations.AddField(
            model_name="connection",
            name="frozen_at",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="frozen"),
        ),
        migrations.AddField(
            model_name="connection",
            name="has_own_external_id",
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
    ]
