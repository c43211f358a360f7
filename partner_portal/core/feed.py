"""Feeds: rows read in an order in which none ever appears in front of one that was shown already.

Keys are given before their transactions end, so a lower one may appear after a higher one. A position is given to
what is committed alone, by one process at a time: what appears late stands behind everything that has one.
"""

from django.db import models
from django.db.models import F

from partner_portal.core.byte_portions import first_keys
from partner_portal.core.models import FeedEnd


def place(model: type[models.Model], most: int, *, column: str = "", max_bytes: int = 0) -> list[int]:
    """Give positions to at most `most` of the oldest rows of `model` that have none. Returns their keys in order.

    Where `column` is named, only to as many as hold `max_bytes` in it, or to one.

    `model` has a `position`, null until it is given. Call it in a transaction. A row that another transaction has
    locked has its turn next time; nobody waits for it.
    """
    waiting = model._default_manager.filter(position=None)
    if not waiting.exists():
        return []
    feed = _end_of(model._meta.label_lower)
    free = waiting.select_for_update(skip_locked=True, no_key=True).order_by("pk")
    keys = first_keys(free, column, most, max_bytes) if column else list(free.values_list("pk", flat=True)[:most])
    if keys:
        # The keys themselves, moved on by as much as brings the first behind the last position: one statement.
        shift = max(feed.last_position + 1 - keys[0], 0)
        model._default_manager.filter(pk__in=keys).update(position=F("pk") + shift)
        feed.last_position = keys[-1] + shift
        feed.save(update_fields=["last_position"])
    return keys


def take_turn(name: str) -> bool:
    """Return whether this transaction alone works at what is named, until it ends; False: another one does."""
    FeedEnd.objects.get_or_create(name=name)
    return FeedEnd.objects.select_for_update(skip_locked=True).filter(name=name).exists()


def _end_of(name: str) -> FeedEnd:
    """The feed's end, locked until the transaction ends."""
    feed, _made = FeedEnd.objects.select_for_update().get_or_create(name=name)
    return feed
