"""Watch checks for events without a position, and for deliveries that no worker tries."""

from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from integrations.partner_events.deliver import LEASE, PAUSES
from integrations.partner_events.fan_out import fan_out
from integrations.partner_events.models import PartnerEvent, WebhookDelivery
from partner_portal.core.watch import register_check

# Beat looks each second; a backlog takes longer.
MAX_WAIT = timedelta(minutes=30)
MAX_PAUSE = timedelta(seconds=max(PAUSES)) + LEASE
# How long an address that is switched off has to come back.
MAX_AGE = timedelta(days=7)


def _unplaced(now: datetime) -> QuerySet[PartnerEvent]:
    return PartnerEvent.objects.filter(position=None, created_at__lt=now - MAX_WAIT)


def _untried(now: datetime) -> QuerySet[WebhookDelivery]:
    """Return deliveries due too far ahead, or overdue for longer than a switched-off address has to come back."""
    missed = Q(due_at__gt=now + MAX_PAUSE) | Q(due_at__lt=now - MAX_AGE)
    return WebhookDelivery.objects.filter(missed, state=WebhookDelivery.State.WAITING)


def _end_or_make_due(delivery: WebhookDelivery) -> None:
    now = timezone.now()
    waiting = WebhookDelivery.objects.filter(pk=delivery.pk, state=WebhookDelivery.State.WAITING)
    if delivery.due_at < now:
        waiting.update(state=WebhookDelivery.State.DEAD, finished_at=now, error="Nothing was taken for a week.")
    else:
        waiting.update(due_at=now)


register_check("partner event: to be placed", _unplaced, lambda _event: fan_out(), by_age=True)
register_check("webhook delivery: waiting", _untried, _end_or_make_due, by_age=True)
