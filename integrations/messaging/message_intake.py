"""Intake of the messages that Altegio asks the partner to send: each is stored once and gets the partner's id."""

from collections.abc import Collection, Iterable
from typing import Any

from django.db.models import TextField
from django.db.models.functions import Cast
from django.utils import timezone

from integrations.alerts.models import Alert
from integrations.alerts.raising import raise_alert
from integrations.connections.models import Connection
from integrations.messaging.bulk_insert import store_messages
from integrations.messaging.message_parsing import AnyDestination, Destination, MessageRequest, UnreadableDestination
from integrations.messaging.message_senders import Place, sender_at
from integrations.messaging.models import RequestedMessage
from partner_portal.core.encryption import decrypt, encrypt
from partner_portal.core.wake import wake

Answers = list[dict[str, Any]]
# The messages stored under send ids: primary key, and number and text, or None if they can no longer be decrypted.
Standing = dict[str, tuple[int, tuple[str, str] | None]]
# The only code that Altegio's reference shows (docs/altegio.md §4a).
ERROR_CODE = 32
USED_ID = "This id stands for a message with another number or text; nothing is sent under it again."


def take_messages(place: Place, request: MessageRequest) -> Answers:
    """Store a message for each destination; return the answer that Altegio expects for each, in their order.

    A send id that this connection has used already refers to the stored message. With another number or text it is an
    error, and staff are alerted, unless the stored content cannot be decrypted. The partner's systems are notified of
    each message when it gets its position (`message_feed.py`). Raises HttpError as `sender_at` does.
    """
    destinations = request["destination_params"]
    asked: dict[str, Destination] = {}
    for item in destinations:
        if not isinstance(item, UnreadableDestination):
            asked.setdefault(str(item["id"]), item)
    # The rows are inserted in a fixed order, which prevents deadlocks between two requests.
    keys = store_messages(place, sorted(_rows(request, asked.values())), timezone.now())
    if keys:
        wake("integrations.messaging.tasks.place_messages")
    standing: Standing = {send_id: (key, (asked[send_id]["phone"], request["text"])) for send_id, key in keys.items()}
    if len(keys) < max(len(asked), 1):
        connection_id, refusal = sender_at(place)
        if refusal:
            return [_refused(_id_of(item), refusal) for item in destinations]
        standing |= _there(connection_id, asked.keys() - keys.keys())
    return _answers(place, request, standing)


def _there(connection_id: int, send_ids: Collection[str]) -> Standing:
    """Return the messages that are stored under these send ids: primary key, and number and text of each."""
    rows = RequestedMessage.objects.filter(connection=connection_id, send_id__in=send_ids)
    as_stored = Cast("phone", TextField()), Cast("text", TextField())
    stored = rows.values_list("send_id", "pk", *as_stored)
    return {send_id: (key, _readable(phone, text)) for send_id, key, phone, text in stored}


def _readable(*stored: str) -> tuple[str, str] | None:
    try:
        phone, text = map(decrypt, stored)
    except ValueError:
        return None
    return phone, text


def _answers(place: Place, request: MessageRequest, standing: Standing) -> Answers:
    answers, used_twice = [], False
    for item in request["destination_params"]:
        if isinstance(item, UnreadableDestination):
            answers.append(_refused(item.id, item.why))
            continue
        key, content = standing[str(item["id"])]
        if content in (None, (item["phone"], request["text"])):
            answers.append({"id": item["id"], "ext_id": str(key)})
        else:
            used_twice = True
            answers.append(_refused(item["id"], USED_ID))
    if used_twice:
        _tell_of_used_id(place)
    return answers


def _tell_of_used_id(place: Place) -> None:
    connection_id, _refusal = sender_at(place)
    connection = Connection.objects.get(pk=connection_id)
    text = (
        f"{connection}: Altegio asked for a new message under a send id that stands for one already. It was answered "
        "with an error and is not sent. Ask Altegio whether its send ids are unique for this location."
    )
    raise_alert(Alert.Kind.MESSAGES, f"messages:used-id:{connection_id}", text, connection)


def _id_of(item: AnyDestination) -> str | int | None:
    return item.id if isinstance(item, UnreadableDestination) else item["id"]


def _refused(send_id: str | int | None, why: str) -> dict[str, Any]:
    return {"id": send_id, "error_code": ERROR_CODE, "error_message": why}


def _rows(request: MessageRequest, destinations: Iterable[Destination]) -> list[tuple[Any, ...]]:
    """Return the rows for `store_messages`; shared values are encrypted once."""
    shared = (encrypt(request["text"]), encrypt(request["delivery_callback_url"].packed))
    rest = (request["sender_name"], request["channel"], request["category"])
    return [
        (str(item["id"]), isinstance(item["id"], int), encrypt(item["phone"]), *shared, *rest)
        for item in destinations
    ]
