"""Intake of the messages that Altegio asks the partner to send: each is stored once and gets the partner's id."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from django.db.models import TextField
from django.db.models.functions import Cast
from django.utils import timezone

from integrations.alerts.models import Alert
from integrations.alerts.raising import raise_alert
from integrations.connections.models import Connection
from integrations.messaging.bulk_insert import store_messages
from integrations.messaging.message_parsing import Destination, MessageRequest, UnreadableDestination
from integrations.messaging.message_senders import Place, sender_at
from integrations.messaging.models import RequestedMessage
from partner_portal.core.bounded_body import NOT_STORED, HttpError
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
    each message when it gets its position (`message_feed.py`). Raises HttpError as `sender_at` does, and 503
    if a message could not be stored.
    """
    asked: dict[str, Destination] = {}
    for item in request["destination_params"]:
        if not isinstance(item, UnreadableDestination):
            asked.setdefault(str(item["id"]), item)
    standing, refusal = _take(place, request, asked)
    return _answers(place, request, standing, refusal)


def _take(place: Place, request: MessageRequest, asked: dict[str, Destination]) -> tuple[Standing, str]:
    """Store what is new. Return what is stored under each send id, and why nothing is taken; "" if it is.

    The two statements may see different states: the first stores nothing while the connection is frozen, and the
    second finds it unfrozen, or replaced by another. What is stored nowhere then is stored once more.
    """
    standing: Standing = {}
    for _attempt in range(2):
        standing |= _store(place, request, [item for send_id, item in asked.items() if send_id not in standing])
        if asked and len(standing) == len(asked):
            return standing, ""
        connection_id, refusal = sender_at(place)
        if not refusal:
            standing |= _there(connection_id, asked.keys() - standing.keys())
        if refusal or len(standing) == len(asked):
            return standing, refusal
    raise HttpError(503, NOT_STORED)


def _store(place: Place, request: MessageRequest, destinations: Sequence[Destination]) -> Standing:
    """Store the new ones of these destinations; return them."""
    # The rows are inserted in a fixed order, which prevents deadlocks between two requests.
    keys = store_messages(place, sorted(_rows(request, destinations)), timezone.now())
    if keys:
        wake("integrations.messaging.tasks.place_messages")
    phones = {str(item["id"]): item["phone"] for item in destinations}
    return {send_id: (key, (phones[send_id], request["text"])) for send_id, key in keys.items()}


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


def _answers(place: Place, request: MessageRequest, standing: Standing, refusal: str) -> Answers:
    """Return the answer for each destination; `refusal` is that for those not stored because of it."""
    answers, used_twice = [], False
    for item in request["destination_params"]:
        if isinstance(item, UnreadableDestination):
            answers.append(_refused(item.id, refusal or item.why))
            continue
        if refusal and str(item["id"]) not in standing:
            answers.append(_refused(item["id"], refusal))
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
