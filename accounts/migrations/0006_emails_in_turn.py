from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0005_api_key_last_used")]

    operations = [
        migrations.AddField(
            model_name="outgoingemail",
            name="goes_first",
            field=models.BooleanField(db_default=True, default=True, editable=False),
        ),
    ]
