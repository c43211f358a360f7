"""The endpoint for lifecycle callbacks: each is proven, stored without its secrets, and answered; processing comes
later.
"""

import json
from functools import partial
from typing import Any

import simplejson
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from integrations.altegio.signatures import is_payment_signed
from integrations.altegio.wire import parse_id
from integrations.lifecycle.models import Callback
from partner_portal.core.bounded_body import HttpError
from partner_portal.core.clean import parse_as_written, parse_json, utf8
from partner_portal.core.encryption import same
from partner_portal.core.fast_insert import Insert
from partner_portal.core.masking import MASK
from partner_portal.core.wake import wake
from partner_portal.core.webhook_endpoint import webhook_endpoint

MAX_BYTES = 64 * 1024
# Characters of an event that are stored.
MAX_EVENT = 60
PAYMENT = "payment"
SECRETS = ("partner_token", "sign")

insert_callback = Insert(
    Callback,
    *("received_at", "event", "salon_id", "application_altegio_id", "body"),
    state=Callback.State.WAITING,
    note="",
)


@webhook_endpoint(MAX_BYTES)
def receive_callback(body: bytes) -> None:
    """Receive `POST /altegio/callback/`: 403 without the token, 400 if the body is not the documented JSON."""
    text = utf8(body)
    payload = parse_as_written(text)
    if not isinstance(payload, dict):
        raise HttpError(400, "The body is not a JSON object.")
    _prove(payload)
    store(payload, text)


def _prove(payload: dict[str, Any]) -> None:
    """Check the partner token, which proves the sender, and the signature that a payment needs too.

    Raises HttpError 403.
    """
    token, expected = payload.get("partner_token"), settings.ALTEGIO_PARTNER_TOKEN
    if not expected or not isinstance(token, str) or not same(token, expected):
        raise HttpError(403, "Forbidden.")
    if payload.get("event") == PAYMENT and not _is_signed(payload, expected):
        raise HttpError(403, "Forbidden.")


def _is_signed(payload: dict[str, Any], token: str) -> bool:
    signature = payload.get("sign")
    return isinstance(signature, str) and is_payment_signed(
        token,
        salon_id=payload.get("salon_id"),
        amount=payload.get("amount"),
        discount=payload.get("discount"),
        signature=signature,
    )


def store(payload: dict[str, Any], text: str) -> None:
    """Store a proven callback, and wake a worker. Raises HttpError 400 if a documented field is missing."""
    salon_id, application_id = parse_id(payload.get("salon_id")), parse_id(payload.get("application_id"))
    if salon_id is None or application_id is None or payload.get("event", "") == "":
        raise HttpError(400, "salon_id, application_id and event are needed.")
    event = _event_name(payload["event"])
    insert_callback(timezone.now(), event, salon_id, application_id, without_secrets(text))
    transaction.on_commit(partial(wake, "integrations.lifecycle.tasks.process_callbacks", pause=1.0))


def _event_name(event: Any) -> str:
    """Return the event as the text to store. A non-text is written as JSON: an unknown event (docs/interface.md)."""
    text = event if isinstance(event, str) else json.dumps(event)
    return _masked(text)[:MAX_EVENT]


def _masked(text: str) -> str:
    return text.replace(json.dumps(settings.ALTEGIO_PARTNER_TOKEN)[1:-1], MASK)


def without_secrets(text: str) -> str:
    """Return the callback as clean JSON in ASCII, with exact numbers, without what proves its sender."""
    payload = parse_json(text, strict=True)
    kept = {name: value for name, value in payload.items() if name not in SECRETS}
    return _masked(simplejson.dumps(kept, use_decimal=True))
