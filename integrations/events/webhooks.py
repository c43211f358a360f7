"""Sending to the partner's own address, signed as the Standard Webhooks specification says.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
The address is somebody's input: it is resolved here, refused unless every answer is a public one, and the
connection is made to the very address that was checked. No redirect is followed.
"""

import base64
import hashlib
import hmac
import secrets
import socket
import time
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import SplitResult, urlsplit

import simplejson
import urllib3
from django.conf import settings

from integrations.events.receivers import IncomingEvent
from integrations.models.application import Application
from partner_portal.public_addresses import is_public

PREFIX = "whsec_"
SECRET_BYTES = 32
TIMEOUT = 10.0


class NotTaken(Exception):
    """The address did not take the batch; `str()` says why, without what it answered."""


def fresh_secret() -> str:
    """A new signing secret, in the form the specification asks for."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def give_new_secret(application: Application) -> str:
    """Replace the application's signing secret; returns the new one, to be shown once."""
    application.events_secret = fresh_secret()
    application.save(update_fields=["events_secret"])
    return application.events_secret


def _key(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(PREFIX), validate=True)


def signature(secret: str, message_id: str, timestamp: int, payload: bytes) -> str:
    """`v1,` and the base64 HMAC-SHA256 of `id.timestamp.payload`."""
    signed = f"{message_id}.{timestamp}.".encode() + payload
    return "v1," + base64.b64encode(hmac.new(_key(secret), signed, hashlib.sha256).digest()).decode()


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
    """POST the batch; the same `message_id` on every try. Raises NotTaken for anything but 2xx."""
    if not application.events_url or not application.events_secret:
        raise NotTaken("The application has no address or no signing secret.")
    payload, timestamp = payload_of(events, made_at), int(time.time())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "altegio-partner-portal",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(application.events_secret, message_id, timestamp, payload),
    }
    status = _post(urlsplit(application.events_url), payload, headers)
    if not 200 <= status < 300:
        raise NotTaken(f"HTTP {status}")


def _post(url: SplitResult, payload: bytes, headers: dict[str, str]) -> int:
    pool = _pool(url)
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    try:
        with pool:
            answer = pool.urlopen(
                "POST",
                target,
                body=payload,
                headers={**headers, "Host": url.netloc.rpartition("@")[2]},
                redirect=False,
                retries=False,
                timeout=urllib3.Timeout(total=TIMEOUT),
                preload_content=False,
            )
            answer.close()
            return answer.status
    except urllib3.exceptions.HTTPError as error:
        raise NotTaken(f"The connection failed: {type(error).__name__}") from None


def _pool(url: SplitResult) -> urllib3.HTTPConnectionPool:
    """A connection to the address that was checked; the certificate must be the name's."""
    try:
        host, port = url.hostname or "", url.port
    except ValueError:
        raise NotTaken("The address has no readable port.") from None
    if url.scheme == "https":
        return urllib3.HTTPSConnectionPool(
            public_address(host, port or 443),
            port or 443,
            assert_hostname=host,
            server_hostname=host,
            cert_reqs="CERT_REQUIRED",
        )
    if url.scheme == "http" and settings.EVENTS_ALLOW_PRIVATE:
        return urllib3.HTTPConnectionPool(public_address(host, port or 80), port or 80)
    raise NotTaken("Only https addresses are sent to.")


def public_address(host: str, port: int) -> str:
    """The first address of `host`. Raises NotTaken unless all of them are public."""
    try:
        found = {str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError):
        raise NotTaken("The name cannot be resolved.") from None
    if not settings.EVENTS_ALLOW_PRIVATE and not all(is_public(address) for address in found):
        raise NotTaken("The name leads to an address that is not public.")
    return sorted(found)[0]
