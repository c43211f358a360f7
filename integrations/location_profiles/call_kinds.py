"""The outgoing calls that fetch a location and those who run it (docs/altegio.md §2, "Calls with a user token")."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from integrations.altegio import requests
from integrations.altegio.answers import Answer
from integrations.altegio.people import read_company, read_people
from integrations.altegio.requests import ApiRequest
from integrations.connections.models import Connection, Location
from integrations.connections.transitions import connection_of, touch
from integrations.location_profiles.erased import erased_among
from integrations.location_profiles.models import LocationPerson, LocationProfile
from integrations.locations.review import learning_titles
from integrations.outbox.call_kinds import CallKind, ObsoleteError, register
from integrations.outbox.models import OutgoingCall, Priority
from integrations.outbox.queue import queue_newest
from integrations.user_tokens.tokens import token_at
from partner_portal.core.english import english as _

REFRESHED_AFTER = timedelta(days=30)
# Filled in only where still empty, because the list of connected locations holds these too and keeps them up to date.
FILLED = ("title", "public_title", "country", "city", "address", "phone", "email", "timezone_name")


@transaction.atomic
def look_at(connection: Connection) -> None:
    """Queue both requests about a connection's location; one that is queued already is not queued twice."""
    due_at = timezone.now() + REFRESHED_AFTER
    LocationProfile.objects.update_or_create(location=connection.location, defaults={"due_at": due_at})
    for kind in (FetchCompany, FetchPeople):
        queue_newest(kind, f"{kind.name}:{connection.location_id}", connection_id=connection.pk)


class _Look(CallKind):
    """A request that changes nothing at Altegio. A 401 may be about the user token."""

    priority = Priority.HOUSEKEEPING
    idempotent = True
    uses_own_credential = True
    max_age = timedelta(days=1)

    def refused(self, call: OutgoingCall, reason: str, answer: Answer) -> None:
        LocationProfile.objects.filter(location=connection_of(call).location_id).update(error=reason[:500])


@register
class FetchCompany(_Look):
    """An outgoing call that fetches the data of a location."""

    name = "fetch_company"
    title = _("Data of one location")

    def request(self, call: OutgoingCall) -> ApiRequest:
        connection, token = _with_token(call)
        return requests.company(token, connection.location.altegio_id)

    def accepted(self, call: OutgoingCall, answer: Answer) -> None:
        connection, company = connection_of(call), read_company(answer)
        here = [connection.location_id]
        touch(Connection.objects.filter(location__in=here))
        is_named = company.get("title") and not connection.location.title
        with learning_titles(here, renamed=here if is_named else []):
            location = Location.objects.select_for_update(no_key=True).get(pk=connection.location_id)
            for name in FILLED:
                if not getattr(location, name):
                    setattr(location, name, company.get(name, ""))
            location.save(update_fields=FILLED)
        LocationProfile.objects.filter(location=location).update(
            currency=company.get("currency", ""), fetched_at=timezone.now(), error=""
        )


@register
class FetchPeople(_Look):
    """An outgoing call that fetches the people who may manage the location's users.

    Altegio itself requires this right of anybody who connects an application.
    """

    name = "fetch_people"
    title = _("People of one location")

    def request(self, call: OutgoingCall) -> ApiRequest:
        connection, token = _with_token(call)
        return requests.company_users(token, connection.location.altegio_id)

    def accepted(self, call: OutgoingCall, answer: Answer) -> None:
        location = Location.objects.select_for_update(no_key=True).get(pk=connection_of(call).location_id)
        people = read_people(answer)
        erased = erased_among([person.altegio_user_id for person in people])
        LocationPerson.objects.filter(location=location).delete()
        LocationPerson.objects.bulk_create(
            LocationPerson(
                location=location,
                altegio_user_id=person.altegio_user_id,
                name=person.name,
                email=person.email,
                phone=person.phone,
            )
            for person in people
            if person.altegio_user_id not in erased
        )


def _with_token(call: OutgoingCall) -> tuple[Connection, str]:
    """Return the call's connection and the token for it. Raises ObsoleteError if there is no token any more."""
    connection = connection_of(call)
    token = token_at(connection.application, connection.location)
    if not token:
        raise ObsoleteError("The user token was removed.")
    return connection, token
