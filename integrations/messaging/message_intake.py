"""Taking the messages that Altegio asks to be sent: each once, with the id that its statuses will name."""

from typing import Any

from django.utils import timezone

from integrations.messaging.bulk_insert import store_messages
from integrations.messaging.message_parsing import MessageRequest
from integrations.messaging.models import RequestedMessage
from partner_portal.core.encryption import encrypt

Answers = list[dict[str, Any]]
# The only code that Altegio's reference shows (docs/altegio.md §4a).
ERROR_CODE = 32


def take_messages(connection_id: int, request: MessageRequest) -> Answers:
    """Store a message for each destination. Returns what Altegio expects for each, in their order.

    A send id that this connection has used already means the message that it has. The rows are also what tells others
    of new messages: who must be told reads them in their order (`message_feed.py`).
    """
    ids = [str(destination["id"]) for destination in request["destination_params"]]
    # In one order for everybody, so that no two requests wait for each other crosswise.
    keys = store_messages(sorted(_rows(connection_id, request)), timezone.now())
    if known := {send_id for send_id in ids if send_id not in keys}:
        there = RequestedMessage.objects.filter(connection=connection_id, send_id__in=known)
        keys |= dict(there.values_list("send_id", "pk"))
    return [
        {"id": destination["id"], "ext_id": str(keys[send_id])}
        for destination, send_id in zip(request["destination_params"], ids, strict=True)
    ]


def _rows(connection_id: int, request: MessageRequest) -> list[tuple[Any, ...]]:
    """As `store_messages` takes them; what is the same for all is encrypted once."""
    shared = (encrypt(request["text"]), encrypt(request["delivery_callback_url"].packed))
    rest = (request["sender_name"], request["channel"], request["category"])
    return [
        (
            connection_id,
            str(destination["id"]),
            isinstance(destination["id"], int),
            encrypt(destination["phone"]),
            *shared,
            *rest,
        )
        for destination in request["destination_params"]
    ]


def refuse_messages(request: MessageRequest, why: str) -> Answers:
    """What Altegio expects for destinations to which nothing is sent."""
    return [
        {"id": destination["id"], "error_code": ERROR_CODE, "error_message": why}
        for destination in request["destination_params"]
    ]
