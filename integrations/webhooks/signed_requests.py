"""Sending to the partner's own address, signed as the Standard Webhooks specification says.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
The address is somebody's input: it is resolved here, refused unless every answer is a public one, and the
connection is made to the very addresses that were checked. No redirect is followed.
"""

import base64
import secrets
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

import simplejson
from django.conf import settings
from standardwebhooks import Webhook

from integrations.connections.models import Application
from integrations.webhooks.consumers import IncomingEvent
from partner_portal.core.http_client.exchange import PORTS, HttpRequest, NoAnswer, exchange
from partner_portal.core.http_client.retry_after import seconds_to_wait
from partner_portal.core.http_client.sockets import resolve
from partner_portal.core.public_addresses import is_public

PREFIX = "whsec_"
SECRET_BYTES = 32
# For a whole delivery, the question for its name included.
TIMEOUT = 10.0


class NotAcceptedError(Exception):
    """The address did not take the batch; `str()` says why, without what it answered.

    `retry_after`: for so many seconds it asked to be left alone; `silent`: it gave no answer at all.
    """

    def __init__(self, why: str, *, retry_after: float | None = None, silent: bool = False) -> None:
        super().__init__(why)
        self.retry_after = retry_after
        self.silent = silent


def fresh_secret() -> str:
    """A new signing secret, in the form the specification asks for."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def give_new_secret(application: Application) -> str:
    """Replace the application's signing secret; returns the new one, to be shown once."""
    application.events_secret = fresh_secret()
    application.save(update_fields=["events_secret"])
    return application.events_secret


def signed_headers(secret: str, message_id: str, moment: datetime, payload: bytes) -> dict[str, str]:
    """What the specification asks for: id, moment, and the signature of both with the body."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, moment, payload.decode()),
    }


def payload_of(events: Sequence[IncomingEvent], made_at: datetime) -> bytes:
    """The body of a batch: `type`, `timestamp` and `data`, as the specification advises."""
    data = [
        {
            "id": event.id,
            "received_at": event.received_at.isoformat(),
            "application_id": event.application_id,
            "salon_id": event.salon_id,
            "is_duplicate": event.is_duplicate,
            "flag": event.flag,
            "body": event.body,
        }
        for event in events
    ]
    body = {"type": "altegio.events", "timestamp": made_at.isoformat(), "data": {"events": data}}
    text: str = simplejson.dumps(body, use_decimal=True)
    return text.encode()


def send(application: Application, message_id: str, events: Sequence[IncomingEvent], made_at: datetime) -> None:
    """POST the batch; the same `message_id` on every try. Raises NotAcceptedError for anything but 2xx."""
    if not application.events_url or not application.events_secret:
        raise NotAcceptedError("The application has no address or no signing secret.")
    payload = payload_of(events, made_at)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "altegio-partner-portal",
        **signed_headers(application.events_secret, message_id, datetime.now(UTC), payload),
    }
    ends_at = time.monotonic() + TIMEOUT
    url = application.events_url
    request = HttpRequest("POST", url, headers, payload, addresses=checked_addresses(url, ends_at))
    # Whatever the address answers with, its status says all.
    answer = exchange(request, timeout=ends_at - time.monotonic(), max_body=0)
    if isinstance(answer, NoAnswer):
        raise NotAcceptedError(answer.why, silent=True)
    if not 200 <= answer.status < 300:
        seconds = seconds_to_wait(answer.headers.get("retry-after", ""), datetime.now(UTC))
        raise NotAcceptedError(f"HTTP {answer.status}", retry_after=seconds)


def checked_addresses(url: str, ends_at: float) -> tuple[str, ...]:
    """The IP addresses to connect to. Raises NotAcceptedError for an address that nothing is sent to."""
    parts = urlsplit(url)
    try:
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise NotAcceptedError("The address has no readable port.") from None
    if parts.scheme != "https" and not (parts.scheme == "http" and settings.EVENTS_ALLOW_PRIVATE):
        raise NotAcceptedError("Only https addresses are sent to.")
    return public_addresses(host, port or PORTS[parts.scheme], ends_at)


def public_addresses(host: str, port: int, ends_at: float) -> tuple[str, ...]:
    """The addresses of `host`. Raises NotAcceptedError unless all of them are public."""
    try:
        found = resolve(host, port, ends_at)
    except OSError as error:
        raise NotAcceptedError(str(error), silent=True) from None
    if not settings.EVENTS_ALLOW_PRIVATE and not all(is_public(address) for address in found):
        raise NotAcceptedError("The name leads to an address that is not public.")
    return tuple(found)
