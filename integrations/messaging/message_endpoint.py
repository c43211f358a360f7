"""Where Altegio hands over messages: one INSERT for whose key it is, then the list that Altegio expects."""

from django.http import HttpResponse

from integrations.messaging.message_intake import take_messages
from integrations.messaging.message_parsing import MessageRequest, read_message_request
from integrations.messaging.message_senders import Place, place_of, sender_at
from partner_portal.core.bounded_body import HttpError
from partner_portal.core.clean import InvalidJsonError, parse_json, utf8
from partner_portal.core.webhook_endpoint import answer_json, webhook_endpoint

MAX_BYTES = 256 * 1024


@webhook_endpoint(MAX_BYTES, "HTTP_AUTHORIZATION")
def receive_messages(body: bytes, authorization: str) -> HttpResponse:
    """`POST /altegio/messages/`: 401 for an unknown key, 404 where no messages are taken, 400, else stored."""
    place = place_of(authorization)
    return answer_json(take_messages(place, _read(body, place)))


def _read(body: bytes, place: Place) -> MessageRequest:
    try:
        return read_message_request(parse_json(utf8(body), strict=True))
    except (HttpError, InvalidJsonError):
        # Whatever came: where no messages are taken there is no such address.
        sender_at(place)
        raise
