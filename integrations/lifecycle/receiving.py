"""Receiving a lifecycle callback: proven, stored without its secrets, answered. What it means comes later."""

import json
from decimal import Decimal
from typing import Any

import simplejson
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from integrations.altegio.signatures import is_payment_signed
from integrations.altegio.wire import parse_id
from integrations.incoming.bodies import Refused, as_text, parse_json
from integrations.incoming.doors import door
from integrations.incoming.inserting import Insert
from integrations.incoming.waking import Waker
from integrations.lifecycle.models import Callback
from partner_portal.encryption import same
from partner_portal.masking import MASK

MOST_BYTES = 64 * 1024
PAYMENT = "payment"
SECRETS = ("partner_token", "sign")

insert_callback = Insert(
    Callback,
    *("received_at", "event", "salon_id", "application_altegio_id", "body"),
    state=Callback.State.WAITING,
    note="",
)


def _task() -> Any:
    from integrations.tasks import process_callbacks

    return process_callbacks


_waker = Waker(_task)
# Made once: `simplejson.loads` with options builds a decoder for each call.
_EXACT = simplejson.JSONDecoder(parse_float=Decimal)


@door(MOST_BYTES)
def receive_callback(body: bytes) -> None:
    """`POST /altegio/callback/`: 403 without the token, 400 for what is not the documented JSON."""
    text = as_text(body)
    told = parse_json(text)
    if not isinstance(told, dict):
        raise Refused(400, "The body is not a JSON object.")
    _prove(told)
    store(told, text)


def _prove(told: dict[str, Any]) -> None:
    """The partner token proves the sender; a payment must be signed besides."""
    token, expected = told.get("partner_token"), settings.ALTEGIO_PARTNER_TOKEN
    if not expected or not isinstance(token, str) or not same(token, expected):
        raise Refused(403, "Forbidden.")
    if told.get("event") == PAYMENT and not _is_signed(told, expected):
        raise Refused(403, "Forbidden.")


def _is_signed(told: dict[str, Any], token: str) -> bool:
    signature = told.get("sign")
    return isinstance(signature, str) and is_payment_signed(
        token,
        salon_id=told.get("salon_id"),
        amount=told.get("amount"),
        discount=told.get("discount"),
        signature=signature,
    )


def store(told: dict[str, Any], text: str) -> None:
    """Keep a proven callback, and wake a worker. Refused with 400 where a documented field is missing."""
    salon_id, application_id = parse_id(told.get("salon_id")), parse_id(told.get("application_id"))
    event = told.get("event")
    if salon_id is None or application_id is None or not isinstance(event, str) or not event:
        raise Refused(400, "salon_id, application_id and event are needed.")
    insert_callback(timezone.now(), _storable(event)[:60], salon_id, application_id, without_secrets(text))
    transaction.on_commit(_waker.wake)


def _storable(text: str) -> str:
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def without_secrets(text: str) -> str:
    """The callback as JSON in ASCII, which any database can store, less what proves its sender."""
    try:
        told = _EXACT.decode(text)
        kept = {name: value for name, value in told.items() if name not in SECRETS}
        stored: str = simplejson.dumps(kept, use_decimal=True)
    except (ValueError, ArithmeticError):
        raise Refused(400, "The body holds a number that is too long.") from None
    return stored.replace(json.dumps(settings.ALTEGIO_PARTNER_TOKEN)[1:-1], MASK)
