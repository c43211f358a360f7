"""Posting to an address of the partner's, signed as the Standard Webhooks specification says.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md

The address is somebody's input: it is resolved here and refused unless every IP address is public, and the connection
is made to the very addresses that were checked. No redirect is followed.
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
# In seconds, for the look-up of a name, and for each message.
TIMEOUT = 10.0


class NotAcceptedError(Exception):
    """Raised when the address did not take the message; `str()` says why, without its answer's text.

    `status` is the code of its answer, None without one; `retry_after` is for how many seconds it asked to be left
    alone; `silent` means that it gave no answer at all.
    """

    def __init__(
        self, why: str, *, status: int | None = None, retry_after: float | None = None, silent: bool = False
    ) -> None:
        super().__init__(why)
        self.status = status
        self.retry_after = retry_after
        self.silent = silent


def fresh_secret() -> str:
    """Return a new signing secret in the form that the specification asks for."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signed_headers(keys: Sequence[str], message_id: str, moment: datetime, payload: bytes) -> dict[str, str]:
    """Return the headers of the specification: id, moment, and a signature of both with the body for each key."""
    text = payload.decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(Webhook(key).sign(message_id, moment, text) for key in keys),
    }


@dataclass(frozen=True)
class Address:
    """A URL that messages are posted to, and the public IP addresses that it led to a moment ago."""

    url: str
    leads_to: tuple[str, ...]


def look_up(url: str) -> Address:
    """Return where the url leads to now. Raises NotAcceptedError for an address that must not be sent to."""
    return Address(url, checked_addresses(url, time.monotonic() + TIMEOUT))


def post_signed(address: Address, keys: Sequence[str], message_id: str, payload: bytes) -> int:
    """POST the payload; return the status of the answer. Raises NotAcceptedError for anything but 2xx.

    The connection stays open for this thread's next message to the same address.
    """
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "altegio-partner-portal",
        **signed_headers(keys, message_id, datetime.now(UTC), payload),
    }
    request = HttpRequest("POST", address.url, headers, payload, addresses=address.leads_to)
    # The status says all that matters, so the body of the answer is not read.
    answer = exchange(request, timeout=TIMEOUT, max_body=0, keep=True)
    if isinstance(answer, NoAnswer):
        raise NotAcceptedError(answer.why, silent=True)
    if not 200 <= answer.status < 300:
        seconds = seconds_to_wait(answer.headers.get("retry-after", ""), datetime.now(UTC))
        raise NotAcceptedError(f"HTTP {answer.status}", status=answer.status, retry_after=seconds)
    return answer.status


def checked_addresses(url: str, ends_at: float) -> tuple[str, ...]:
    """Return the IP addresses to connect to. Raises NotAcceptedError for an address that must not be sent to."""
    parts = urlsplit(url)
    try:
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise NotAcceptedError("The address has no readable port.") from None
    if "@" in parts.netloc:
        raise NotAcceptedError("Write the address without a user and a password: the signature says who sends.")
    if parts.scheme != "https" and not (parts.scheme == "http" and settings.EVENTS_ALLOW_PRIVATE):
        raise NotAcceptedError("The address must use https.")
    return public_addresses(host, port or PORTS[parts.scheme], ends_at)


def public_addresses(host: str, port: int, ends_at: float) -> tuple[str, ...]:
    """Return the IP addresses of `host`. Raises NotAcceptedError unless all of them are public."""
    try:
        found = resolve(host, port, ends_at)
    except OSError as error:
        raise NotAcceptedError(str(error), silent=True) from None
    if not settings.EVENTS_ALLOW_PRIVATE and not all(is_public(address) for address in found):
        raise NotAcceptedError("The name leads to an address that is not public.")
    return tuple(found)
