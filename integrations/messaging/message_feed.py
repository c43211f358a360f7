"""The order in which requested messages are read: none ever appears in front of one that was shown already.

Keys are given before their transactions end, so a lower one may appear after a higher one. A position is given to
what is committed alone, by one reader at a time: what appears late stands behind everything that has one.
"""

from django.db import transaction
from django.db.models import F

from integrations.messaging.models import MessageFeed, RequestedMessage

# More than a page holds: who reads on from any place has its next page placed.
MAX_PLACED = 10_000


def place_waiting() -> None:
    """Give positions to the oldest messages that have none, behind all others."""
    waiting = RequestedMessage.objects.filter(position=None)
    if waiting.exists():
        with transaction.atomic():
            feed, _made = MessageFeed.objects.select_for_update().get_or_create(pk=1)
            # One whose status is being written has its turn next time; nobody waits for it.
            free = waiting.select_for_update(skip_locked=True, no_key=True).order_by("pk")
            _place(feed, list(free.values_list("pk", flat=True)[:MAX_PLACED]))


def _place(feed: MessageFeed, keys: list[int]) -> None:
    """Positions are the keys themselves, moved on by as much as brings the first behind the last position."""
    if keys:
        shift = max(feed.last_position + 1 - keys[0], 0)
        RequestedMessage.objects.filter(pk__in=keys).update(position=F("pk") + shift)
        feed.last_position = keys[-1] + shift
        feed.save(update_fields=["last_position"])


def position_of(key: int) -> int:
    """Where this message stands; for one that was deleted, in front of the first that came after it."""
    placed = RequestedMessage.objects.exclude(position=None)
    own = placed.filter(pk=key).values_list("position", flat=True).first()
    if own is not None:
        return own
    following = placed.filter(pk__gt=key).order_by("position").values_list("position", flat=True).first()
    return key if following is None else following - 1
