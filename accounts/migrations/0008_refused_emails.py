from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0007_email_in_turn_index")]

    operations = [
        migrations.AddField(
            model_name="outgoingemail",
            name="refused_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
