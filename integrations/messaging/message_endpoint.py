"""Where Altegio hands over messages: whose key it is, then one INSERT, then the list that Altegio expects."""

from typing import Never

from django.http import HttpResponse

from integrations.connections.models import Application, Connection, State
from integrations.messaging.api_keys import place_of_key
from integrations.messaging.message_intake import refuse_messages, take_messages
from integrations.messaging.message_parsing import read_message_request
from partner_portal.core.bounded_body import HttpError
from partner_portal.core.clean import parse_json, utf8
from partner_portal.core.encryption import lookup_hash
from partner_portal.core.fast_query import Query
from partner_portal.core.remembered import Remembered
from partner_portal.core.webhook_endpoint import answer_json, webhook_endpoint

MAX_BYTES = 256 * 1024
# What Altegio calls a connection, it has activated: an answer to us that was lost keeps no message back.
REFUSED_IN: dict[str, str] = {
    State.FROZEN: "The connection is frozen: nothing is sent until it is paid for.",
    **dict.fromkeys((State.UNINSTALLED, State.EXPIRED, State.FAILED), "The connection has ended."),
}

# A key leads to the same place as long as it is known at all; a replaced one is void at last after so many seconds.
known_keys = Remembered[tuple[int, int]](seconds=60.0)
current_connection = Query(
    2,
    lambda application, location: (
        Connection.objects.at(application, location)
        .current_first()
        .values_list("pk", "state", "application__takes_messages")
    ),
)


@webhook_endpoint(MAX_BYTES, "HTTP_AUTHORIZATION")
def receive_messages(body: bytes, authorization: str) -> HttpResponse:
    """`POST /altegio/messages/`: 401 for an unknown key, 404 where no messages are taken, 400, else stored."""
    connection_id, state = _sender(authorization)
    request = read_message_request(parse_json(utf8(body), strict=True))
    if why := REFUSED_IN.get(state):
        return answer_json(refuse_messages(request, why))
    return answer_json(take_messages(connection_id, request))


def _sender(authorization: str) -> tuple[int, str]:
    """The connection that counts where this key belongs, and its state. Raises HttpError for nobody's key."""
    scheme, _space, key = authorization.partition(" ")
    place = _place_of(lookup_hash(key.strip())) if scheme.lower() == "bearer" else None
    found = None if place is None else current_connection(*place)
    if found is None:
        _refuse_unknown_key()
    connection_id, state, takes_messages = found
    if not takes_messages:
        raise HttpError(404, "Not found.")
    return connection_id, state


def _place_of(key_hash: str) -> tuple[int, int] | None:
    """The application and the location of a key, from this process's memory or the database."""
    place = known_keys.get(key_hash)
    if place is None and (place := place_of_key(key_hash)) is not None:
        known_keys.put(key_hash, place)
    return place


def _refuse_unknown_key() -> Never:
    """401; 404 where nobody takes messages, as if there was no such address."""
    if Application.objects.filter(takes_messages=True).exists():
        raise HttpError(401, "No connection has this key.")
    raise HttpError(404, "Not found.")
