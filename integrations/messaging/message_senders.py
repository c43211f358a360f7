"""Lookup of a request's sender: an API key belongs to an application and location, where one connection counts."""

from typing import Never

from integrations.connections.models import Application, Connection, State
from integrations.messaging.api_keys import place_of_key
from partner_portal.core.bounded_body import HttpError
from partner_portal.core.encryption import lookup_hash
from partner_portal.core.fast_query import Query
from partner_portal.core.remembered import Remembered

# The primary keys of an application and of a location.
Place = tuple[int, int]
REFUSED_IN: dict[str, str] = {
    State.FROZEN: "The connection is frozen: nothing is sent until it is paid for.",
    **dict.fromkeys((State.UNINSTALLED, State.EXPIRED, State.FAILED), "The connection has ended."),
}
# Undecided connections are included: Altegio may have activated one although its answer was lost.
TAKEN_IN = tuple(state.value for state in State if state not in REFUSED_IN)
# A key never moves to another place, so it is cached; a key that has become void is refused at most this long later.
known_keys = Remembered[Place](seconds=60.0)
current_connection = Query(
    lambda application, location: (
        Connection.objects.at(application, location)
        .current_first()
        .values_list("pk", "state", "application__takes_messages")[:1]
    )
)


def place_of(authorization: str) -> Place:
    """Return the place of a bearer key, from this process's cache or the database. Raises HttpError if unknown."""
    scheme, _space, key = authorization.partition(" ")
    if scheme.lower() != "bearer":
        refuse_unknown_key()
    key_hash = lookup_hash(key.strip())
    if (known := known_keys.get(key_hash)) is not None:
        return known
    place = place_of_key(key_hash)
    if place is None:
        refuse_unknown_key()
    known_keys.put(key_hash, place)
    return place


def sender_at(place: Place) -> tuple[int, str]:
    """Return the key of the connection that counts at a place, and why its messages are refused ("" if accepted).

    Raises HttpError: 404 if the application takes no messages; if there is no connection, as `refuse_unknown_key`.
    """
    found = current_connection(*place)
    if found is None:
        refuse_unknown_key()
    connection_id, state, takes_messages = found
    if not takes_messages:
        raise HttpError(404, "Not found.")
    return connection_id, REFUSED_IN.get(state, "")


def refuse_unknown_key() -> Never:
    """Raise HttpError 401, or 404 if no application takes messages, as if the address did not exist."""
    if Application.objects.filter(takes_messages=True).exists():
        raise HttpError(401, "No connection has this key.")
    raise HttpError(404, "Not found.")
