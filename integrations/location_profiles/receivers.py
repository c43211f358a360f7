"""Receivers that fetch a location's profile after an activation, and remove erased people from the profiles."""

from typing import Any

from django.dispatch import receiver

from accounts.erasure import person_erased
from accounts.models import User
from integrations.connections.models import LIVE, UNDECIDED, Connection, State
from integrations.connections.signals import connection_changed
from integrations.location_profiles.call_kinds import look_at
from integrations.location_profiles.erased import remember_erased
from integrations.location_profiles.models import LocationPerson, LocationProfile
from integrations.partner_events import types
from integrations.partner_events.erasure import rewrite_events
from integrations.partner_events.models import PartnerEvent
from integrations.partner_events.named_people import without_person
from integrations.user_tokens.tokens import token_at


@receiver(connection_changed)
def look_after_activation(connection: Connection, before: State, after: State, **_: Any) -> None:
    """Fetch the profile of a newly live connection's location; without a token, note that it is due."""
    if before not in UNDECIDED or after not in LIVE:
        return
    if token_at(connection.application_id, connection.location_id):
        look_at(connection)
    else:
        LocationProfile.objects.get_or_create(location=connection.location)


@receiver(person_erased)
def forget_person(user: User, altegio_user_ids: set[int], **_: Any) -> None:
    """Remove an erased person from all locations' lists, and from the events of locations whose list names them.

    For events that an earlier version wrote, only these lists say whom an event names.
    """
    theirs = LocationPerson.objects.filter(altegio_user_id__in=altegio_user_ids)
    locations = list(theirs.values_list("location", flat=True))
    rewrite_events(
        PartnerEvent.objects.filter(connection__location__in=locations, type__in=types.OF_CONNECTIONS),
        without_person({user.pk}, altegio_user_ids),
    )
    theirs.delete()
    remember_erased(altegio_user_ids)
