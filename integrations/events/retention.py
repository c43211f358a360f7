"""Old events go, in batches that block nobody."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Model
from django.utils import timezone

from integrations.events.models import Delivery, Event

BATCH = 2000


def delete_old_events() -> int:
    """Delete events and deliveries older than `EVENTS_RETENTION_DAYS`. Returns how many events."""
    before = timezone.now() - timedelta(days=settings.EVENTS_RETENTION_DAYS)
    _empty(Delivery, "created_at", before)
    return _empty(Event, "received_at", before)


def _empty(model: type[Model], moment: str, before: datetime) -> int:
    """Delete from the old end of a table that only grows at the other; its ids are as old as its rows."""
    deleted = 0
    while True:
        oldest = model._default_manager.order_by("pk").values_list("pk", moment)[:BATCH]
        ids = [pk for pk, at in oldest if at < before]
        model._default_manager.filter(pk__in=ids).delete()
        deleted += len(ids)
        if len(ids) < BATCH:
            return deleted
