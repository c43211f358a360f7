"""The order in which requested messages are read, and told to the partner's systems (`partner_portal.core.feed`)."""

from django.db import transaction

from integrations.messaging.models import RequestedMessage
from integrations.messaging.signals import messages_placed
from partner_portal.core.byte_portions import MAX_BYTES
from partner_portal.core.feed import place

# More than a page holds: who reads on from any place has its next page placed.
MAX_PLACED, MAX_PLACED_BYTES = 10_000, 2 * MAX_BYTES


def place_waiting() -> int:
    """Give positions to the oldest messages that have none, and tell of them, as one. Returns how many."""
    with transaction.atomic():
        if keys := place(RequestedMessage, MAX_PLACED, column="text", max_bytes=MAX_PLACED_BYTES):
            messages_placed.send(sender=RequestedMessage, keys=keys)
    return len(keys)


def position_of(key: int) -> int:
    """Where this message stands; for one that was deleted, in front of the first that came after it."""
    placed = RequestedMessage.objects.exclude(position=None)
    own = placed.filter(pk=key).values_list("position", flat=True).first()
    if own is not None:
        return own
    following = placed.filter(pk__gt=key).order_by("position").values_list("position", flat=True).first()
    return key if following is None else following - 1
