"""The feed order in which the partner's systems read, and are notified of, messages (`partner_portal.core.feed`)."""

from django.db import transaction

from integrations.messaging.models import RequestedMessage
from integrations.messaging.signals import messages_placed
from partner_portal.core.byte_portions import MAX_BYTES
from partner_portal.core.feed import place

# More than a page of the API holds, so that one run places the whole next page for any reader.
MAX_PLACED, MAX_PLACED_BYTES = 10_000, 2 * MAX_BYTES


def place_waiting() -> int:
    """Give the oldest messages without a position one, and send the signal, in one transaction; return how many."""
    with transaction.atomic():
        if keys := place(RequestedMessage, MAX_PLACED, column="text", max_bytes=MAX_PLACED_BYTES):
            messages_placed.send(sender=RequestedMessage, keys=keys)
    return len(keys)


def position_of(key: int) -> int:
    """Return a message's position; for a deleted message, the one before the next message's, or its key if none."""
    placed = RequestedMessage.objects.exclude(position=None)
    own = placed.filter(pk=key).values_list("position", flat=True).first()
    if own is not None:
        return own
    following = placed.filter(pk__gt=key).order_by("position").values_list("position", flat=True).first()
    return key if following is None else following - 1
