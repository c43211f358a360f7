"""Whose messages they are: a key of Altegio's leads to a place, and there one connection counts."""

from typing import Never

from integrations.connections.models import Application, Connection, State
from integrations.messaging.api_keys import place_of_key
from partner_portal.core.bounded_body import HttpError
from partner_portal.core.encryption import lookup_hash
from partner_portal.core.fast_query import Query
from partner_portal.core.remembered import Remembered

# An application and a location, by their keys.
Place = tuple[int, int]
REFUSED_IN: dict[str, str] = {
    State.FROZEN: "The connection is frozen: nothing is sent until it is paid for.",
    **dict.fromkeys((State.UNINSTALLED, State.EXPIRED, State.FAILED), "The connection has ended."),
}
# What waits for an answer to its activation is among them: Altegio may have activated it, and the answer be lost.
TAKEN_IN = tuple(state.value for state in State if state not in REFUSED_IN)
# A key leads to the same place as long as it is known at all; a replaced one is void at last after so many seconds.
known_keys = Remembered[Place](seconds=60.0)
current_connection = Query(
    lambda application, location: (
        Connection.objects.at(application, location)
        .current_first()
        .values_list("pk", "state", "application__takes_messages")[:1]
    )
)


def place_of(authorization: str) -> Place:
    """Where the bearer's key belongs, from this process's memory or the database. Raises HttpError for nobody's."""
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
    """The connection that counts there, and why its messages are refused, "" where they are taken.

    Raises HttpError: 404 where the application takes no messages, 401 where there is no connection.
    """
    found = current_connection(*place)
    if found is None:
        refuse_unknown_key()
    connection_id, state, takes_messages = found
    if not takes_messages:
        raise HttpError(404, "Not found.")
    return connection_id, REFUSED_IN.get(state, "")


def refuse_unknown_key() -> Never:
    """401; 404 where nobody takes messages, as if there was no such address."""
    if Application.objects.filter(takes_messages=True).exists():
        raise HttpError(401, "No connection has this key.")
    raise HttpError(404, "Not found.")
