from django.db import migrations, models

from partner_portal.core.live_migrations import AddIndexLive
from partner_portal.core.search_indexes import numbers_index, phone_index


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("connections", "0008_salon_ids_of_refused_arrivals")]

    operations = [
        AddIndexLive(
            model_name="arrival",
            index=models.Index(
                condition=models.Q(("altegio_user_id__isnull", False)),
                fields=["altegio_user_id", "-id"],
                name="arrival_by_altegio_user",
            ),
        ),
        phone_index("location_phone_ends", "connections_location"),
        # Of those on which nobody has signed up or in: whoever has is found by their connections.
        numbers_index("arrival_at_locations", "connections_arrival", "salon_ids", "\"claim\" = ''"),
        numbers_index("refused_at_locations", "connections_refusedarrival", "salon_ids", "true"),
    ]
