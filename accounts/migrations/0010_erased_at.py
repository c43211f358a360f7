from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0009_email_indexes")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="erased_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
    ]
