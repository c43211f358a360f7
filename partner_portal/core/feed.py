"""Feeds: rows in an order in which a new row never appears before one that was already read.

Keys are assigned before their transactions end, so a lower key may become visible after a higher one. Positions are
assigned only to committed rows, by one process at a time, so a row that becomes visible late gets a later position.
"""

from django.db import models
from django.db.models import F

from partner_portal.core.byte_portions import first_keys
from partner_portal.core.models import FeedEnd


def place(model: type[models.Model], most: int, *, column: str = "", max_bytes: int = 0) -> list[int]:
    """Assign positions to the oldest rows of `model` without one, at most `most`. Return the keys in order.

    If `column` is given, only as many rows get one as have `max_bytes` in that column together, but at least one row.

    `model.position` is null until it is assigned. Call this in a transaction. Rows that another transaction has
    locked are skipped until the next call.
    """
    waiting = model._default_manager.filter(position=None)
    if not waiting.exists():
        return []
    feed = _end_of(model._meta.label_lower)
    free = waiting.select_for_update(skip_locked=True, no_key=True).order_by("pk")
    keys = first_keys(free, column, most, max_bytes) if column else list(free.values_list("pk", flat=True)[:most])
    if keys:
        # The keys plus an offset that puts the first after the last position: this needs only one statement.
        shift = max(feed.last_position + 1 - keys[0], 0)
        model._default_manager.filter(pk__in=keys).update(position=F("pk") + shift)
        feed.last_position = keys[-1] + shift
        feed.save(update_fields=["last_position"])
    return keys


def move_feeds_on(gap: int) -> None:
    """Leave a gap of so many positions behind the last one of each feed."""
    FeedEnd.objects.update(last_position=F("last_position") + gap)


def take_turn(name: str) -> bool:
    """Lock `name` until the transaction ends. Return False if another transaction holds the lock."""
    FeedEnd.objects.get_or_create(name=name)
    return FeedEnd.objects.select_for_update(skip_locked=True).filter(name=name).exists()


def _end_of(name: str) -> FeedEnd:
    """Return the feed's end, locked until the transaction ends."""
    feed, _made = FeedEnd.objects.select_for_update().get_or_create(name=name)
    return feed
