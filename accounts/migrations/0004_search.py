from django.db import migrations

from partner_portal.core.search_indexes import phone_index, prefix_index_live


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("accounts", "0003_accepted_terms")]

    operations = [
        phone_index("user_phone_ends", "accounts_user"),
        phone_index("customer_phone_ends", "accounts_customer"),
        prefix_index_live("customer_email_begins", "accounts_customer", "email"),
        prefix_index_live("customer_name_begins", "accounts_customer", "name"),
    ]
