from django.db import migrations, models


def forget_what_was_never_proven(apps, _editor):
    """A phone that was never confirmed would count from now on; backup codes of before cannot be hashed anew."""
    apps.get_model("accounts", "BackupCode").objects.all().delete()
    apps.get_model("accounts", "Authenticator").objects.filter(confirmed=False).delete()


class Migration(migrations.Migration):
    # The deletion ends before the tables are changed: PostgreSQL refuses to do both at once.
    atomic = False

    dependencies = [
        ('accounts', '0004_when_an_address_was_proven'),
    ]

    operations = [
        migrations.RunPython(forget_what_was_never_proven, migrations.RunPython.noop, atomic=True),
        migrations.RemoveConstraint(
            model_name='backupcode',
            name='one_backup_code_of_a_kind',
        ),
        migrations.AddField(
            model_name='backupcode',
            name='number',
            field=models.PositiveSmallIntegerField(db_default=0),
        ),
        migrations.AlterField(
            model_name='backupcode',
            name='digest',
            field=models.CharField(max_length=128),
        ),
        migrations.AddConstraint(
            model_name='backupcode',
            constraint=models.UniqueConstraint(fields=('authenticator', 'number'), name='one_backup_code_a_number'),
        ),
    ]
