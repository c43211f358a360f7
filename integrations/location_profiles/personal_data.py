"""The personal data that the portal holds on a person as one of a location's people."""

from typing import Any

from accounts.models import User
from accounts.personal_data import PERSONAL_DATA
from integrations.location_profiles.models import LocationPerson


def _people(user: User) -> list[Any]:
    mine = LocationPerson.objects.filter(altegio_user_id__in=user.identities.values("altegio_user_id"))
    return list(mine.order_by("pk").values("location__altegio_id", "altegio_user_id", "name", "email", "phone"))


PERSONAL_DATA.register("people_of_locations", _people, rank=38)
