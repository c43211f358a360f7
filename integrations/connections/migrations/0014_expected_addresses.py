from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("connections", "0013_proven_owners")]

    operations = [
        migrations.AddField(
            model_name="arrival",
            name="expected_address_hash",
            field=models.CharField(blank=True, db_default="", default="", editable=False, max_length=32),
        ),
    ]
