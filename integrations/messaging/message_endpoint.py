"""The endpoint to which Altegio posts messages: one INSERT stores them, and the answer lists their ids."""

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
    """Store the messages of `POST /altegio/messages/` and return the answer for each.

    Respond 401 to an unknown key, 404 if no messages are taken, and 400 to an unreadable request.
    """
    place = place_of(authorization)
    return answer_json(take_messages(place, _read(body, place)))


def _read(body: bytes, place: Place) -> MessageRequest:
    try:
        return read_message_request(parse_json(utf8(body), strict=True))
    except (HttpError, InvalidJsonError):
        # Even a bad request gets 404 if no messages are taken here, as if the address did not exist.
        sender_at(place)
        raise
