"""Delivering batches: to receivers inside the project and to the partner's address, with retries."""

import threading
import time
from datetime import timedelta

import structlog
from django.db import connection as database
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from integrations.alarms.models import Alarm
from integrations.alarms.raising import raise_alarms
from integrations.events.handing_on import HTTPS
from integrations.events.models import Delivery
from integrations.events.receivers import read_events, receiver_named
from integrations.events.webhooks import NotTaken, send
from integrations.models.application import Application
from partner_portal.masking import mask

log = structlog.get_logger(__name__)

# Seconds before the next try; about two days, as the Standard Webhooks specification advises.
PAUSES = (5, 30, 300, 1800, 2 * 3600, 5 * 3600, 10 * 3600, 10 * 3600, 20 * 3600)
# The worker that has a delivery may be dead after this.
LEASE = timedelta(seconds=60)
LONGEST_RUN = 25.0
RUNS_IN_A_PROCESS = 2

_places = threading.BoundedSemaphore(RUNS_IN_A_PROCESS)


class TakenOver(Exception):
    """Another worker has this delivery since: what was done is rolled back."""


def deliver_due() -> int:
    """Try every delivery that is due; returns how many were taken.

    A slow address holds few of a worker's threads: the rest are for Altegio.
    """
    if not _places.acquire(blocking=False):
        return 0
    try:
        taken, ends_at = 0, time.monotonic() + LONGEST_RUN
        while time.monotonic() < ends_at and (delivery := _claim()):
            taken += _try(delivery)
        return taken
    finally:
        _places.release()


def send_again(deliveries: QuerySet[Delivery]) -> int:
    """Give dead letters a new life. Returns how many there were."""
    dead = deliveries.filter(state=Delivery.State.DEAD)
    return dead.update(state=Delivery.State.WAITING, tries=0, due_at=timezone.now(), finished_at=None, error="")


@transaction.atomic
def _claim() -> Delivery | None:
    """The delivery that is due longest, this worker's alone until its lease ends."""
    now = timezone.now()
    due = Delivery.objects.filter(state=Delivery.State.WAITING, due_at__lte=now).order_by("due_at")
    if database.features.has_select_for_update_skip_locked:
        due = due.select_for_update(skip_locked=True)
    delivery = due.first()
    if delivery is not None:
        delivery.tries += 1
        delivery.due_at = now + LEASE
        delivery.save(update_fields=["tries", "due_at"])
    return delivery


def _try(delivery: Delivery) -> bool:
    try:
        if delivery.target == HTTPS:
            _post(delivery)
        else:
            _give(delivery)
    except TakenOver:
        return False
    except NotTaken as refusal:
        _fail(delivery, str(refusal))
        return False
    except Exception as error:
        log.exception("receiver_failed", receiver=delivery.target, delivery=delivery.pk)
        _fail(delivery, mask(f"{type(error).__name__}: {error}"))
        return False
    return True


def _post(delivery: Delivery) -> None:
    application = Application.objects.get(pk=delivery.application_id)
    send(application, f"delivery_{delivery.pk}", read_events(delivery.event_ids), delivery.created_at)
    _finish(delivery)


@transaction.atomic
def _give(delivery: Delivery) -> None:
    receiver_named(delivery.target)(read_events(delivery.event_ids))
    _finish(delivery)


def _finish(delivery: Delivery) -> None:
    held = _held(delivery)
    if not held.update(state=Delivery.State.DELIVERED, finished_at=timezone.now(), error=""):
        raise TakenOver


def _held(delivery: Delivery) -> QuerySet[Delivery]:
    return Delivery.objects.filter(pk=delivery.pk, state=Delivery.State.WAITING, tries=delivery.tries)


@transaction.atomic
def _fail(delivery: Delivery, error: str) -> None:
    """Set the delivery back, halve it where one event may spoil it for the others, or end it."""
    now = timezone.now()
    if delivery.target != HTTPS and delivery.count > 1:
        _halve(delivery)
    elif delivery.tries <= len(PAUSES):
        pause = timedelta(seconds=PAUSES[delivery.tries - 1])
        _held(delivery).update(due_at=now + pause, error=error[:300])
    elif _held(delivery).update(state=Delivery.State.DEAD, finished_at=now, error=error[:300]):
        text = f"{delivery.count} events could not be handed on to {delivery.target}: {error}"
        key = f"events:{delivery.target}:{delivery.application_id}:{now:%Y%m%d}"
        raise_alarms([(Alarm.Kind.EVENTS, key, text, None)])


def _halve(delivery: Delivery) -> None:
    middle = delivery.count // 2
    first, second = delivery.event_ids[:middle], delivery.event_ids[middle:]
    if _held(delivery).update(event_ids=first, count=middle, tries=F("tries") - 1, due_at=timezone.now()):
        Delivery.objects.create(
            target=delivery.target, application_id=delivery.application_id, event_ids=second, count=len(second)
        )
