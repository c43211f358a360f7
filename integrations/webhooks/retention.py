"""Retention of events and their deliveries: deleted in batches that block nobody.

What still waits to be forwarded stays, however few days are set; what was given up no longer waits.
"""

from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from integrations.webhooks.fan_out import WAITING
from integrations.webhooks.models import Delivery, Event
from partner_portal.core.models import FailedItem
from partner_portal.core.retention import register_retention

BATCH = 2000


def delete_old_events(before: datetime) -> int:
    """Delete a batch of the events that came before `before`. Returns how many."""
    dead = FailedItem.objects.filter(queue=WAITING.name, dead_at__isnull=False).values("item")
    handed_on = Event.objects.filter(Q(forwarded_at__isnull=False) | Q(pk__in=dead))
    needed = _first_needed()
    return _delete_oldest(handed_on if needed is None else handed_on.filter(pk__lt=needed), "received_at", before)


def _first_needed() -> int | None:
    """Return the id of the oldest event that a waiting delivery still needs; None if there is none."""
    waiting = Delivery.objects.filter(state=Delivery.State.WAITING).values_list("event_ids", flat=True)
    return min((min(ids) for ids in waiting.iterator() if ids), default=None)


def delete_old_deliveries(before: datetime) -> int:
    """Delete a batch of the deliveries made before `before`. Returns how many."""
    return _delete_oldest(Delivery.objects.exclude(state=Delivery.State.WAITING), "created_at", before)


def _delete_oldest(rows: QuerySet[Any], moment: str, before: datetime) -> int:
    """Delete a batch from the old end of a table that only grows at the other: ids and rows have the same order."""
    oldest = rows.order_by("pk").values_list("pk", moment)[:BATCH]
    ids = [pk for pk, at in oldest if at < before]
    rows.filter(pk__in=ids).delete()
    return len(ids)


register_retention("deliveries", "RETENTION_EVENTS_DAYS", delete_old_deliveries)
register_retention("events", "RETENTION_EVENTS_DAYS", delete_old_events)
