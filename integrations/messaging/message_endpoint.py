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
from partner_portal.core.webhook_endpoint import answer_json, webhook_endpoint

MAX_BYTES = 256 * 1024
# What Altegio calls a connection, it has activated: an answer to us that was lost keeps no message back.
REFUSED_IN = {
    State.FROZEN: "The connection is frozen: nothing is sent until it is paid for.",
    **dict.fromkeys((State.UNINSTALLED, State.EXPIRED, State.FAILED), "The connection has ended."),
}


@webhook_endpoint(MAX_BYTES, "HTTP_AUTHORIZATION")
def receive_messages(body: bytes, authorization: str) -> HttpResponse:
    """`POST /altegio/messages/`: 401 for an unknown key, 404 where no messages are taken, 400, else stored."""
    connection_id, state = _sender(authorization)
    request = read_message_request(parse_json(utf8(body), strict=True))
    if why := REFUSED_IN.get(state):
        return answer_json(refuse_messages(request, why))
    return answer_json(take_messages(connection_id, request))


def _sender(authorization: str) -> tuple[int, State]:
    """The connection that counts where this key belongs, and its state. Raises HttpError for nobody's key."""
    scheme, _space, key = authorization.partition(" ")
    place = place_of_key(lookup_hash(key.strip())) if scheme.lower() == "bearer" else None
    if place is None:
        _refuse_unknown_key()
    here = Connection.objects.at(*place).current_first()
    found = here.values_list("pk", "state", "application__takes_messages").first()
    if found is None:
        _refuse_unknown_key()
    connection_id, state, takes_messages = found
    if not takes_messages:
        raise HttpError(404, "Not found.")
    return connection_id, State(state)


def _refuse_unknown_key() -> Never:
    """401; 404 where nobody takes messages, as if there was no such address."""
    if Application.objects.filter(takes_messages=True).exists():
        raise HttpError(401, "No connection has this key.")
    raise HttpError(404, "Not found.")
