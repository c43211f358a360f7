from django.db import migrations

from partner_portal.search_indexes import prefix_index


class Migration(migrations.Migration):

    dependencies = [
        ("accounts", "0001_people"),
    ]

    operations = [
        prefix_index("user_email_begins", "accounts_user", "email", any_case=True),
        prefix_index("user_name_begins", "accounts_user", "name", any_case=True),
        prefix_index("user_phone_begins", "accounts_user", "phone", any_case=False),
        prefix_index("letter_to_begins", "accounts_letter", "to", any_case=True),
    ]
