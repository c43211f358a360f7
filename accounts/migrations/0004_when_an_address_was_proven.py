from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_news")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="email_proven_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="address proven"),
        )
    ]
