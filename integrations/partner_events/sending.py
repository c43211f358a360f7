"""Posting to an address of the partner's, signed as the Standard Webhooks specification says.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
The address is somebody's input: it is resolved here, refused unless every answer is a public one, and the
connection is made to the very addresses that were checked. No redirect is followed.
"""

import base64
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from django.conf import settings
from standardwebhooks import Webhook

from partner_portal.core.http_client.exchange import PORTS, HttpRequest, NoAnswer, exchange
from partner_portal.core.http_client.retry_after import seconds_to_wait
from partner_portal.core.http_client.sockets import resolve
from partner_portal.core.public_addresses import is_public

PREFIX = "whsec_"
SECRET_BYTES = 32
# Seconds, for the question for a name, and for each message.
TIMEOUT = 10.0


class NotAcceptedError(Exception):
    """The address did not take the message; `str()` says why, without what it answered.

    `status`: its answer's code, None for none; `retry_after`: for so many seconds it asked to be left alone;
    `silent`: it gave no answer at all.
    """

    def __init__(
        self, why: str, *, status: int | None = None, retry_after: float | None = None, silent: bool = False
    ) -> None:
        super().__init__(why)
        self.status = status
        self.retry_after = retry_after
        self.silent = silent


def fresh_secret() -> str:
    """A new signing secret, in the form the specification asks for."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signed_headers(keys: Sequence[str], message_id: str, moment: datetime, payload: bytes) -> dict[str, str]:
    """What the specification asks for: id, moment, and the signature of both with the body, one for each key."""
    text = payload.decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(Webhook(key).sign(message_id, moment, text) for key in keys),
    }


@dataclass(frozen=True)
class Address:
    """Where messages are posted to: its url, and the public IP addresses that it led to a moment ago."""

    url: str
    leads_to: tuple[str, ...]


def look_up(url: str) -> Address:
    """Where the url leads to now. Raises NotAcceptedError for an address that nothing is sent to."""
    return Address(url, checked_addresses(url, time.monotonic() + TIMEOUT))


def post_signed(address: Address, keys: Sequence[str], message_id: str, payload: bytes) -> int:
    """POST the payload; returns the status of the answer. Raises NotAcceptedError for anything but 2xx.

    The line stays open for this thread's next message to the same address.
    """
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "altegio-partner-portal",
        **signed_headers(keys, message_id, datetime.now(UTC), payload),
    }
    request = HttpRequest("POST", address.url, headers, payload, addresses=address.leads_to)
    # Whatever the address answers with, its status says all.
    answer = exchange(request, timeout=TIMEOUT, max_body=0, keep=True)
    if isinstance(answer, NoAnswer):
        raise NotAcceptedError(answer.why, silent=True)
    if not 200 <= answer.status < 300:
        seconds = seconds_to_wait(answer.headers.get("retry-after", ""), datetime.now(UTC))
        raise NotAcceptedError(f"HTTP {answer.status}", status=answer.status, retry_after=seconds)
    return answer.status


def checked_addresses(url: str, ends_at: float) -> tuple[str, ...]:
    """The IP addresses to connect to. Raises NotAcceptedError for an address that nothing is sent to."""
    parts = urlsplit(url)
    try:
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise NotAcceptedError("The address has no readable port.") from None
    if "@" in parts.netloc:
        raise NotAcceptedError("Write the address without a user and a password: the signature says who sends.")
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
