"""Taking the messages that Altegio asks to be sent: each once, with the id that its statuses will name."""

from typing import Any

from django.utils import timezone

from integrations.messaging.bulk_insert import store_messages
from integrations.messaging.message_parsing import MessageRequest
from integrations.messaging.message_senders import Place, sender_at
from integrations.messaging.models import RequestedMessage
from partner_portal.core.encryption import encrypt
from partner_portal.core.wake import wake

Answers = list[dict[str, Any]]
# The only code that Altegio's reference shows (docs/altegio.md §4a).
ERROR_CODE = 32


def take_messages(place: Place, request: MessageRequest) -> Answers:
    """Store a message for each destination. Returns what Altegio expects for each, in their order.

    A send id that this connection has used already means the message that it has. The rows are also what tells others
    of new messages: each is told of when it is given its place (`message_feed.py`). Raises HttpError as `sender_at`.
    """
    destinations = request["destination_params"]
    ids = {str(destination["id"]) for destination in destinations}
    # In one order for everybody, so that no two requests wait for each other crosswise.
    keys = store_messages(place, sorted(_rows(request)), timezone.now())
    if keys:
        wake("integrations.messaging.tasks.place_messages")
    if len(keys) < len(ids):
        connection_id, refusal = sender_at(place)
        if refusal:
            return [_refused(destination["id"], refusal) for destination in destinations]
        there = RequestedMessage.objects.filter(connection=connection_id, send_id__in=ids - keys.keys())
        keys |= dict(there.values_list("send_id", "pk"))
    return [{"id": item["id"], "ext_id": str(keys[str(item["id"])])} for item in destinations]


def _refused(send_id: str | int, why: str) -> dict[str, Any]:
    return {"id": send_id, "error_code": ERROR_CODE, "error_message": why}


def _rows(request: MessageRequest) -> list[tuple[Any, ...]]:
    """As `store_messages` takes them; what is the same for all is encrypted once."""
    shared = (encrypt(request["text"]), encrypt(request["delivery_callback_url"].packed))
    rest = (request["sender_name"], request["channel"], request["category"])
    return [
        (str(item["id"]), isinstance(item["id"], int), encrypt(item["phone"]), *shared, *rest)
        for item in request["destination_params"]
    ]
