"""Retention of events and their deliveries: deleted in batches that block nobody."""

from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet

from integrations.partner_events.models import NamedPerson, PartnerEvent, WebhookDelivery
from partner_portal.core.retention import register_retention

BATCH = 2000


def delete_old_events(before: datetime) -> int:
    """Delete a batch of the events older than `before`. Returns how many."""
    return delete_settled(PartnerEvent.objects.filter(created_at__lt=before))


def delete_settled(events: QuerySet[PartnerEvent]) -> int:
    """Delete a batch of these events with their deliveries, oldest first. Returns how many.

    An event without a position, or still tried at an address, stays: the retries may last longer than the retention.
    """
    waiting = WebhookDelivery.objects.filter(event=OuterRef("pk"), state=WebhookDelivery.State.WAITING)
    settled = events.filter(~Exists(waiting), position__isnull=False).order_by("created_at")
    ids = list(settled.values_list("pk", flat=True)[:BATCH])
    WebhookDelivery.objects.filter(event__in=ids).delete()
    NamedPerson.objects.filter(event__in=ids).delete()
    # Django reads the rows it deletes if others refer to them: without the bodies, whose key may be lost.
    return PartnerEvent.objects.filter(pk__in=ids).only("pk").delete()[0]


register_retention("events for the partner's systems", "RETENTION_EVENTS_DAYS", delete_old_events)
