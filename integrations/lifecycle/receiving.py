"""Receiving a lifecycle callback: proven, stored without its secrets, answered. What it means comes later."""

import json
from typing import Any

import simplejson
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from integrations.altegio.signatures import is_payment_signed
from integrations.altegio.wire import parse_id
from integrations.incoming.bodies import Refused
from integrations.incoming.doors import door
from integrations.incoming.inserting import Insert
from integrations.incoming.waking import Waker
from integrations.lifecycle.models import Callback
from partner_portal.clean import parse_as_written, parse_json, utf8
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


@door(MOST_BYTES)
def receive_callback(body: bytes) -> None:
    """`POST /altegio/callback/`: 403 without the token, 400 for what is not the documented JSON."""
    text = utf8(body)
    told = parse_as_written(text)
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
    insert_callback(timezone.now(), event[:60], salon_id, application_id, without_secrets(text))
    transaction.on_commit(_waker.wake)


def without_secrets(text: str) -> str:
    """The callback as clean JSON in ASCII, its numbers exact, less what proves its sender."""
    told = parse_json(text, strict=True)
    kept = {name: value for name, value in told.items() if name not in SECRETS}
    stored: str = simplejson.dumps(kept, use_decimal=True)
    return stored.replace(json.dumps(settings.ALTEGIO_PARTNER_TOKEN)[1:-1], MASK)
