"""Watch checks for events that nothing forwards, and for deliveries that no worker tries."""

from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from integrations.webhooks.deliver import LEASE, PAUSES
from integrations.webhooks.fan_out import WAITING, fan_out
from integrations.webhooks.models import Delivery, Event
from partner_portal.core.watch import register_check

# Beat looks each second; a backlog takes longer.
MAX_WAIT = timedelta(minutes=30)
MAX_PAUSE = timedelta(seconds=max(PAUSES)) + LEASE


def _left_behind(now: datetime) -> QuerySet[Event]:
    return WAITING.ready(Event.objects.filter(forwarded_at=None, received_at__lt=now - MAX_WAIT))


def _untried(now: datetime) -> QuerySet[Delivery]:
    long_due = Q(due_at__lt=now - MAX_WAIT)
    return Delivery.objects.filter(long_due | Q(due_at__gt=now + MAX_PAUSE), state=Delivery.State.WAITING)


def _make_due(delivery: Delivery) -> None:
    waiting = Delivery.objects.filter(pk=delivery.pk, state=Delivery.State.WAITING)
    waiting.update(due_at=timezone.now())


register_check("event: to be forwarded", _left_behind, lambda _event: fan_out(), by_age=True)
register_check("delivery: waiting", _untried, _make_due, by_age=True)
