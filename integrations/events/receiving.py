"""Receiving an entity webhook: one INSERT, then 200. Nothing is looked up but what this process has not seen."""

import hashlib
import time

from django.utils import timezone

from integrations.events.models import Event
from integrations.incoming.bodies import Refused
from integrations.incoming.doors import door
from integrations.incoming.inserting import Insert
from integrations.models.connection import ConnectionKeys
from partner_portal.clean import parse_json, utf8
from partner_portal.encryption import lookup_hash

MOST_BYTES = 1024 * 1024
# A key is given once and never taken back; the limit is for keys of a restored database.
REMEMBERED_FOR = 300.0
MOST_REMEMBERED = 50_000

insert_event = Insert(Event, "keys", "received_at", "body", "digest", flag="", is_duplicate=False)
_known: dict[str, tuple[int, float]] = {}


@door(MOST_BYTES)
def receive_event(body: bytes, key: str) -> None:
    """`POST /altegio/events/<key>/`: 404 for an unknown key, 400 for what is not JSON, else stored."""
    keys_id = _keys_id(lookup_hash(key))
    text = utf8(body)
    parse_json(text, strict=True)
    insert_event(keys_id, timezone.now(), text, digest_of(keys_id, body))


def digest_of(keys_id: int, body: bytes) -> str:
    """What two deliveries of the same event have in common."""
    return hashlib.blake2b(body, digest_size=16, salt=keys_id.to_bytes(8, "big")).hexdigest()


def _keys_id(key_hash: str) -> int:
    """Whose address this is, from this process's memory or the database. Refused with 404 for nobody's."""
    now = time.monotonic()
    known = _known.get(key_hash)
    if known is not None and known[1] > now:
        return known[0]
    found = ConnectionKeys.objects.filter(events_key_hash=key_hash).values_list("pk", flat=True).first()
    if found is None:
        _known.pop(key_hash, None)
        raise Refused(404, "Not found.")
    if len(_known) >= MOST_REMEMBERED:
        _known.clear()
    _known[key_hash] = (found, now + REMEMBERED_FOR)
    return found
