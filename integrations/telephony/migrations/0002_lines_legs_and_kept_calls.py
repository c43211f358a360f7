import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("connections", "0001_initial"),
        ("telephony", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="PhoneLines",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("country", models.CharField(blank=True, max_length=2, verbose_name="country, ISO 3166")),
                ("time_zone", models.CharField(blank=True, max_length=100, verbose_name="time zone")),
                ("lines", models.JSONField(blank=True, default=dict, verbose_name="numbers by extension")),
                (
                    "location",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="phone_lines",
                        to="connections.location",
                    ),
                ),
            ],
            options={
                "verbose_name": "lines of a location",
                "verbose_name_plural": "lines of locations",
            },
        ),
        migrations.AddField(
            model_name="phonecall",
            name="is_unconfirmed",
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
        migrations.AddField(
            model_name="phonecall",
            name="kept_until",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="kept until"),
        ),
        migrations.AddField(
            model_name="phonecall",
            name="location",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="phone_calls",
                to="connections.location",
            ),
        ),
        migrations.AddField(
            model_name="phonecall",
            name="warnings",
            field=models.JSONField(
                blank=True,
                db_default=models.Value([], models.JSONField()),
                default=list,
                verbose_name="left out",
            ),
        ),
        migrations.AlterField(
            model_name="phonecall",
            name="state",
            field=models.CharField(
                choices=[("queued", "on its way"), ("saved", "at Altegio"), ("failed", "refused"), ("kept", "kept here")],
                default="queued",
                max_length=6,
                verbose_name="state",
            ),
        ),
    ]
