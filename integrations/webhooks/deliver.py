"""Delivering batches: to receivers inside the project and to the partner's address, with retries."""

import time
from collections.abc import Hashable, Iterable
from datetime import timedelta
from typing import Any

import structlog
from django.db import connection as database
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from integrations.alerts.models import Alert
from integrations.alerts.raising import raise_alerts
from integrations.connections.models import Application
from integrations.partner_events.sending import TIMEOUT, NotAcceptedError
from integrations.webhooks.consumers import CONSUMERS, IncomingEvent, read_events
from integrations.webhooks.fan_out import HTTPS
from integrations.webhooks.models import Delivery
from integrations.webhooks.signed_requests import send
from partner_portal.core.queues import describe_error
from partner_portal.core.thread_shares import Share

log = structlog.get_logger(__name__)

# Seconds before the next try; about two days, as the Standard Webhooks specification advises.
PAUSES = (5, 30, 300, 1800, 2 * 3600, 5 * 3600, 10 * 3600, 10 * 3600, 20 * 3600)
# The worker that has a delivery may be dead after this; a receiver inside works in a transaction of its own.
LEASE, LEASE_OF_RECEIVER = timedelta(seconds=2 * TIMEOUT + 5), timedelta(seconds=60)
MAX_RUN = 25.0
# So long at most an address that gave no answer is let rest.
MAX_SILENCE = timedelta(seconds=60)
THREADS = 3
NOTHING_LEFT = "Its events are not kept any more (RETENTION_EVENTS_DAYS): nothing was sent."

_share = Share(THREADS)


class EventsGoneError(Exception):
    """Nothing is left to deliver: its events were kept as long as they are to be kept."""


class TakenOverError(Exception):
    """Another worker has this delivery since: what was done is rolled back."""


def deliver_due() -> int:
    """Try every delivery that is due; returns how many were taken.

    Each address has a place of its own, and all of them a share of the worker's threads: the rest are for Altegio.
    """
    taken, ends_at = 0, time.monotonic() + MAX_RUN
    with _share.thread() as mine:
        while mine and time.monotonic() < ends_at and (delivery := _share.choose(_claim, address_of)):
            with _share.serving(address_of(delivery)):
                taken += _try(delivery)
    return taken


def address_of(delivery: Delivery) -> Hashable:
    """Who takes it: a receiver inside, or the address of an application."""
    return (delivery.target, delivery.application_id if delivery.target == HTTPS else None)


def send_again(deliveries: QuerySet[Delivery]) -> int:
    """Give dead letters a new life. Returns how many there were."""
    dead = deliveries.filter(state=Delivery.State.DEAD)
    return dead.update(
        state=Delivery.State.WAITING, attempt_count=0, due_at=timezone.now(), finished_at=None, error=""
    )


@transaction.atomic
def _claim(not_now: Iterable[Any]) -> Delivery | None:
    """The delivery that is due longest, this worker's alone until its lease ends; none for those in `not_now`."""
    now = timezone.now()
    due = Delivery.objects.filter(state=Delivery.State.WAITING, due_at__lte=now).order_by("due_at", "id")
    due = due.exclude(target=HTTPS, application__events_rest_until__gt=now)
    for target, application_id in not_now:
        same = Q(target=target) if application_id is None else Q(target=target, application_id=application_id)
        due = due.exclude(same)
    if database.features.has_select_for_update_skip_locked:
        due = due.select_for_update(skip_locked=True, of=("self",))
    delivery = due.first()
    if delivery is not None:
        delivery.attempt_count += 1
        delivery.due_at = now + (LEASE if delivery.target == HTTPS else LEASE_OF_RECEIVER)
        delivery.save(update_fields=["attempt_count", "due_at"])
    return delivery


def _try(delivery: Delivery) -> bool:
    try:
        if delivery.target == HTTPS:
            _post(delivery)
        else:
            _give(delivery)
    except TakenOverError:
        return False
    except EventsGoneError:
        _held(delivery).update(state=Delivery.State.DEAD, finished_at=timezone.now(), error=NOTHING_LEFT)
        return False
    except NotAcceptedError as refusal:
        _fail(delivery, str(refusal), refusal)
        return False
    except Exception as error:
        log.exception("delivery_failed", target=delivery.target, delivery=delivery.pk)
        _fail(delivery, describe_error(error))
        return False
    return True


def _post(delivery: Delivery) -> None:
    application = Application.objects.get(pk=delivery.application_id)
    send(application, f"delivery_{delivery.pk}", _events(delivery), delivery.created_at)
    _finish(delivery)


@transaction.atomic
def _give(delivery: Delivery) -> None:
    CONSUMERS[delivery.target](_events(delivery))
    _finish(delivery)


def _events(delivery: Delivery) -> list[IncomingEvent]:
    events = read_events(delivery.event_ids)
    if not events:
        raise EventsGoneError
    return events


def _finish(delivery: Delivery) -> None:
    held = _held(delivery)
    if not held.update(state=Delivery.State.DELIVERED, finished_at=timezone.now(), error=""):
        raise TakenOverError


def _held(delivery: Delivery) -> QuerySet[Delivery]:
    return Delivery.objects.filter(pk=delivery.pk, state=Delivery.State.WAITING, attempt_count=delivery.attempt_count)


@transaction.atomic
def _fail(delivery: Delivery, error: str, refusal: NotAcceptedError | None = None) -> None:
    """Set the delivery back, halve it where one event may spoil it for the others, or end it."""
    now = timezone.now()
    pause = timedelta(seconds=PAUSES[min(delivery.attempt_count, len(PAUSES)) - 1])
    if refusal is not None:
        pause = max(pause, _let_rest(delivery, refusal, pause))
    if refusal is None and delivery.count > 1:
        # A failure of our own: one event may spoil the batch for the others.
        _halve(delivery)
    elif delivery.attempt_count <= len(PAUSES):
        _held(delivery).update(due_at=now + pause, error=error[:300])
    elif _held(delivery).update(state=Delivery.State.DEAD, finished_at=now, error=error[:300]):
        text = f"{delivery.count} events could not be handed on to {delivery.target}: {error}"
        raise_alerts([(Alert.Kind.EVENTS, alert_key(delivery.target, delivery.application_id), text, None)])


def alert_key(target: str, application_id: int) -> str:
    """One alert stands for all dead letters of an address."""
    return f"events:{target}:{application_id}"


def clear_ended_alerts() -> None:
    """An address without a dead letter needs nobody any more."""
    dead = Delivery.objects.filter(state=Delivery.State.DEAD).order_by().values_list("target", "application")
    keys = [alert_key(target, application) for target, application in dead.distinct()]
    Alert.objects.filter(kind=Alert.Kind.EVENTS, cleared_at=None).exclude(key__in=keys).update(
        cleared_at=timezone.now()
    )


def _let_rest(delivery: Delivery, refusal: NotAcceptedError, pause: timedelta) -> timedelta:
    """Send nothing to an address for as long as it asks, or for a while where it is silent: others have their turn.

    Returns how long that is.
    """
    asked = timedelta(seconds=refusal.retry_after or 0)
    rest = max(asked, min(pause, MAX_SILENCE)) if refusal.silent else asked
    if rest:
        resting = Application.objects.filter(pk=delivery.application_id)
        resting.update(events_rest_until=timezone.now() + rest)
    return asked


def _halve(delivery: Delivery) -> None:
    middle = delivery.count // 2
    first, second = delivery.event_ids[:middle], delivery.event_ids[middle:]
    if _held(delivery).update(
        event_ids=first, count=middle, attempt_count=F("attempt_count") - 1, due_at=timezone.now()
    ):
        Delivery.objects.create(
            target=delivery.target, application_id=delivery.application_id, event_ids=second, count=len(second)
        )
