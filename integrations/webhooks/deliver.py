"""Delivery of batches of events to the consumers inside the project, until they are taken or dead."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from integrations.alerts.models import Alert
from integrations.alerts.raising import raise_alert
from integrations.webhooks.consumers import CONSUMERS, IncomingEvent, read_events
from integrations.webhooks.models import Delivery
from partner_portal.core.queues import describe_error
from partner_portal.core.skip_locked import skip_locked
from partner_portal.core.thread_shares import ThreadShare, Turn

log = structlog.get_logger(__name__)

# Pauses before the next try, in seconds; about two days in all.
PAUSES = (5, 30, 300, 1800, 2 * 3600, 5 * 3600, 10 * 3600, 10 * 3600, 20 * 3600)
# After this, the worker that has a delivery may be dead; a consumer works in a transaction of its own.
LEASE = timedelta(seconds=60)
MAX_RUN = 25.0
THREADS = 3
NOTHING_LEFT = "Its events are not kept any more (RETENTION_EVENTS_DAYS): nothing was handed on."

_share = ThreadShare(THREADS)


class EventsGoneError(Exception):
    """Raised when nothing is left to deliver, because retention has deleted the events."""


class TakenOverError(Exception):
    """Raised when another worker has the delivery now: what was done is rolled back."""


def deliver_due() -> int:
    """Try every delivery that is due; return how many were taken.

    Each consumer has a turn of its own, and all of them a share of the worker's threads: the rest are for Altegio.
    """
    return _share.run(_claim, target_of, _try, MAX_RUN)


def target_of(delivery: Delivery) -> str:
    """Return the consumer that takes it."""
    return delivery.target


def send_again(deliveries: QuerySet[Delivery]) -> int:
    """Make dead letters wait again, with all their tries. Returns how many there were."""
    dead = deliveries.filter(state=Delivery.State.DEAD)
    return dead.update(
        state=Delivery.State.WAITING, attempt_count=0, due_at=timezone.now(), finished_at=None, error=""
    )


@transaction.atomic
def _claim(not_now: Iterable[Any]) -> Delivery | None:
    """Claim the delivery that has been due longest, until the lease ends; none whose target is in `not_now`."""
    now = timezone.now()
    due = Delivery.objects.filter(state=Delivery.State.WAITING, due_at__lte=now).order_by("due_at", "id")
    delivery = skip_locked(due.exclude(target__in=list(not_now))).first()
    if delivery is not None:
        delivery.attempt_count += 1
        delivery.due_at = now + LEASE
        delivery.save(update_fields=["attempt_count", "due_at"])
    return delivery


def _try(delivery: Delivery, _turn: Turn) -> bool:
    try:
        _give(delivery)
    except TakenOverError:
        return False
    except EventsGoneError:
        _held(delivery).update(state=Delivery.State.DEAD, finished_at=timezone.now(), error=NOTHING_LEFT)
        return False
    except Exception as error:
        log.exception("delivery_failed", target=delivery.target, delivery=delivery.pk)
        _fail(delivery, describe_error(error))
        return False
    return True


@transaction.atomic
def _give(delivery: Delivery) -> None:
    CONSUMERS[delivery.target](_events(delivery))
    if not _held(delivery).update(state=Delivery.State.DELIVERED, finished_at=timezone.now(), error=""):
        raise TakenOverError


def _events(delivery: Delivery) -> list[IncomingEvent]:
    events = read_events(delivery.event_ids)
    if not events:
        raise EventsGoneError
    return events


def _held(delivery: Delivery) -> QuerySet[Delivery]:
    return Delivery.objects.filter(pk=delivery.pk, state=Delivery.State.WAITING, attempt_count=delivery.attempt_count)


@transaction.atomic
def _fail(delivery: Delivery, error: str) -> None:
    """Halve the delivery, because one event may spoil it for the others; set a single one back, or end it."""
    now = timezone.now()
    if delivery.count > 1:
        _halve(delivery)
    elif delivery.attempt_count <= len(PAUSES):
        pause = timedelta(seconds=PAUSES[delivery.attempt_count - 1])
        _held(delivery).update(due_at=now + pause, error=error[:300])
    elif _held(delivery).update(state=Delivery.State.DEAD, finished_at=now, error=error[:300]):
        text = f"{delivery.count} events could not be handed on to {delivery.target}: {error}"
        raise_alert(Alert.Kind.EVENTS, alert_key(delivery.target, delivery.application_id), text)


def _halve(delivery: Delivery) -> None:
    middle = delivery.count // 2
    first, second = delivery.event_ids[:middle], delivery.event_ids[middle:]
    # The try was one of the whole batch: it does not count for its halves.
    if _held(delivery).update(
        event_ids=first, count=middle, attempt_count=F("attempt_count") - 1, due_at=timezone.now()
    ):
        Delivery.objects.create(
            target=delivery.target, application_id=delivery.application_id, event_ids=second, count=len(second)
        )


_ALERTS = "events:"


def alert_key(target: str, application_id: int) -> str:
    """Return the key of a consumer's alert: one alert stands for all its dead letters of an application."""
    return f"{_ALERTS}{target}:{application_id}"


def clear_ended_alerts() -> None:
    """Clear the alerts of consumers that have no dead letter any more."""
    dead = Delivery.objects.filter(state=Delivery.State.DEAD).order_by().values_list("target", "application")
    keys = [alert_key(target, application) for target, application in dead.distinct()]
    # Alerts about webhooks are of the same kind, and end with their own cause.
    mine = Alert.objects.filter(kind=Alert.Kind.EVENTS, key__startswith=_ALERTS, cleared_at=None)
    mine.exclude(key__in=keys).update(cleared_at=timezone.now())
