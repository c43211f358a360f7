from django.db import migrations

from partner_portal.core.search_indexes import SearchIndexLive


class Migration(migrations.Migration):
    """Pages show what staff did with one row; Django's own table is indexed by user and kind alone."""

    atomic = False
    dependencies = [("core", "0002_list_exports"), ("admin", "0003_logentry_add_action_flag_choices")]

    operations = [
        SearchIndexLive("admin_log_of_a_row", "django_admin_log", '("object_id", "content_type_id", "id" DESC)'),
    ]
