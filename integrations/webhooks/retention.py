"""How long events and their deliveries are kept: deleted in batches that block nobody."""

from datetime import datetime

from django.db.models import Model

from integrations.webhooks.models import Delivery, Event
from partner_portal.core.retention import register_retention

BATCH = 2000


def delete_old_events(before: datetime) -> int:
    """Delete a batch of the events that came before `before`. Returns how many."""
    return _delete_oldest(Event, "received_at", before)


def delete_old_deliveries(before: datetime) -> int:
    """Delete a batch of the deliveries made before `before`. Returns how many."""
    return _delete_oldest(Delivery, "created_at", before)


def _delete_oldest(model: type[Model], moment: str, before: datetime) -> int:
    """Delete from the old end of a table that only grows at the other; its ids are as old as its rows."""
    oldest = model._default_manager.order_by("pk").values_list("pk", moment)[:BATCH]
    ids = [pk for pk, at in oldest if at < before]
    model._default_manager.filter(pk__in=ids).delete()
    return len(ids)


register_retention("deliveries", "RETENTION_EVENTS_DAYS", delete_old_deliveries)
register_retention("events", "RETENTION_EVENTS_DAYS", delete_old_events)
