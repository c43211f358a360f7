"""Receipt of an entity webhook: one INSERT, then 200. Only keys that this process has not seen are looked up."""

import hashlib

from django.utils import timezone

from integrations.connections.models import Installation
from integrations.webhooks.models import Event
from partner_portal.core.bounded_body import HttpError
from partner_portal.core.clean import parse_json, refuse_too_many_values, utf8
from partner_portal.core.encryption import lookup_hash
from partner_portal.core.fast_insert import Insert
from partner_portal.core.remembered import Remembered
from partner_portal.core.webhook_endpoint import webhook_endpoint

MAX_BYTES = 1024 * 1024
# A key is given once and never taken back; the limit is for keys of a restored database.
known_keys = Remembered[int](seconds=300.0)

insert_event = Insert(Event, "installation", "received_at", "body", "digest", flag="", is_duplicate=False)


@webhook_endpoint(MAX_BYTES)
def receive_event(body: bytes, key: str) -> None:
    """Store the body of `POST /altegio/events/<key>/`; 404 for an unknown key, 400 for no JSON or too much of it."""
    installation_id = _installation_id(lookup_hash(key))
    text = utf8(body)
    refuse_too_many_values(text)
    parse_json(text, strict=True)
    insert_event(installation_id, timezone.now(), text, digest_of(installation_id, body))


def digest_of(installation_id: int, body: bytes) -> str:
    """Return the digest that two deliveries of the same event have in common."""
    return hashlib.blake2b(body, digest_size=16, salt=installation_id.to_bytes(8, "big")).hexdigest()


def _installation_id(key_hash: str) -> int:
    """Return the installation of this address, from this process's memory or the database. Raises HttpError 404."""
    known = known_keys.get(key_hash)
    if known is not None:
        return known
    found = Installation.objects.filter(events_key_hash=key_hash).values_list("pk", flat=True).first()
    if found is None:
        raise HttpError(404, "Not found.")
    known_keys.put(key_hash, found)
    return found
