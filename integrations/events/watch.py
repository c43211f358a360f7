"""Events that nobody hands on, and deliveries that nobody tries."""

from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from integrations.events.delivering import LEASE, PAUSES
from integrations.events.handing_on import WAITING, hand_on
from integrations.events.models import Delivery, Event
from partner_portal.watch import register_check

# Beat looks each second; a backlog takes its time.
LONGEST_WAIT = timedelta(minutes=30)
LONGEST_PAUSE = timedelta(seconds=max(PAUSES)) + LEASE


def _left_behind(now: datetime) -> QuerySet[Event]:
    return WAITING.ready(Event.objects.filter(handed_on_at=None, received_at__lt=now - LONGEST_WAIT))


def _untried(now: datetime) -> QuerySet[Delivery]:
    long_due = Q(due_at__lt=now - LONGEST_WAIT)
    return Delivery.objects.filter(long_due | Q(due_at__gt=now + LONGEST_PAUSE), state=Delivery.State.WAITING)


def _make_due(delivery: Delivery) -> None:
    waiting = Delivery.objects.filter(pk=delivery.pk, state=Delivery.State.WAITING)
    waiting.update(due_at=timezone.now())


register_check("event: to be handed on", _left_behind, lambda _event: hand_on(), by_age=True)
register_check("delivery: waiting", _untried, _make_due, by_age=True)
