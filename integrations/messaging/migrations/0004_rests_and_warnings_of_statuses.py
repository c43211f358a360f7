from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("messaging", "0003_status_of_requested_message")]

    operations = [
        migrations.AddField(
            model_name="statusbatch",
            name="rests_until",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="statusbatch",
            name="warnings",
            field=models.JSONField(blank=True, editable=False, null=True, verbose_name="left out of the report"),
        ),
        migrations.AlterField(
            model_name="statusbatch",
            name="state",
            field=models.CharField(
                choices=[
                    ("waiting", "waiting"),
                    ("sent", "sent"),
                    ("refused", "refused"),
                    ("left_out", "left out"),
                ],
                default="waiting",
                max_length=8,
                verbose_name="state",
            ),
        ),
    ]
