"""Delivery of events: in order for each connection and address, with retries, until taken or dead.

A worker takes a run of deliveries to one address under the address's lock, and leases them by their due time: once
that has passed, the worker may be dead. What it posts but cannot note before it dies is posted again.
"""

import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import mean
from typing import Any

import structlog
from django.db import transaction
from django.db.models import DateTimeField, Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from integrations.alerts.models import Alert
from integrations.alerts.raising import clear_alerts, raise_alert
from integrations.partner_events.models import WebhookDelivery, WebhookEndpoint
from integrations.partner_events.reading import Message, read_each, read_secrets, without_secrets
from integrations.partner_events.sending import TIMEOUT, Address, NotAcceptedError, look_up, post_signed
from partner_portal.core.many_values import any_key
from partner_portal.core.queues import describe_error
from partner_portal.core.skip_locked import skip_locked
from partner_portal.core.thread_shares import ThreadShare, Turn

log = structlog.get_logger(__name__)

# Pauses before the next try, in seconds: three days in all (docs/interface.md, webhooks).
PAUSES = (5, 30, 300, 1800, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 20 * 3600)
# A run ends after this many deliveries, or this many seconds and the delivery that is under way then.
RUN, MAX_RUN = 300, 5.0
# Covers looking up the name, the run, and the delivery that was begun last.
LEASE = timedelta(seconds=TIMEOUT + MAX_RUN + TIMEOUT + 5)
MAX_ROUND = 25.0
# How long an address that gave no answer rests at most.
MAX_SILENCE = timedelta(seconds=60)
# An address rests, too, if it took none of this many, or none in a whole run's time: its backlog must not take the
# turn of the others.
MANY = 10
# An address that took nothing for this long is switched off.
SWITCHED_OFF_AFTER = timedelta(days=1)
THREADS = 3
# When an address had its last turn, or its rest ended: each refusal at the end of a run writes `rests_until`.
_NEVER = Value(datetime(1970, 1, 1, tzinfo=UTC), output_field=DateTimeField())
LAST_TURN = Greatest(Coalesce("last_delivered_at", _NEVER), Coalesce("rests_until", _NEVER))

State = WebhookDelivery.State
_share = ThreadShare(THREADS)


@dataclass(frozen=True)
class Run:
    """Some deliveries to one address, oldest first, leased to this worker until `leased_until`."""

    endpoint: WebhookEndpoint
    deliveries: list[WebhookDelivery]
    leased_until: datetime


@dataclass(frozen=True)
class Try:
    """The outcome of one delivery's try."""

    delivery: WebhookDelivery
    seconds: float
    status: int | None = None
    refusal: NotAcceptedError | None = None


def deliver_due() -> int:
    """Try every delivery that is due; return how many were taken.

    Each address has a turn of its own, and all of them a share of the worker's threads: the rest are for Altegio.
    """
    return _share.run(_claim, _address_of, _serve, MAX_ROUND)


def _address_of(run: Run) -> int:
    return run.endpoint.pk


def _due(now: datetime) -> QuerySet[WebhookDelivery]:
    """Return deliveries that may go now: those that are due, and behind none of their connection that is not."""
    waiting = WebhookDelivery.objects.filter(state=State.WAITING)
    not_due = waiting.filter(
        endpoint=OuterRef("endpoint"), ordering_key=OuterRef("ordering_key"), pk__lt=OuterRef("pk"), due_at__gt=now
    )
    return waiting.filter(Q(ordering_key=0) | ~Exists(not_due), due_at__lte=now)


@transaction.atomic
def _claim(not_now: Iterable[object]) -> Run | None:
    """Claim a run of one address that is not in `not_now`; return None if nothing is due."""
    now = timezone.now()
    mine = _due(now).filter(endpoint=OuterRef("pk"))
    open_ = Q(rests_until=None) | Q(rests_until__lte=now)
    endpoints = without_secrets().filter(open_, Exists(mine), is_active=True).exclude(pk__in=list(not_now))
    endpoint = skip_locked(endpoints, no_key=True).order_by(LAST_TURN, "pk").first()
    if endpoint is None:
        return None
    # Read under the lock of the address, so that what another worker has leased is seen.
    due = _due(now).filter(endpoint=endpoint).only("event", "ordering_key", "attempt_count")
    deliveries = list(due.order_by("pk")[:RUN])
    leased_until = now + LEASE
    chosen = WebhookDelivery.objects.filter(pk__in=any_key([delivery.pk for delivery in deliveries]))
    chosen.update(due_at=leased_until, attempt_count=F("attempt_count") + 1)
    for delivery in deliveries:
        delivery.attempt_count += 1
    return Run(endpoint, deliveries, leased_until) if deliveries else None


def _serve(run: Run, turn: Turn) -> int:
    """Execute the run; return how many of its deliveries were taken."""
    tries = _execute(run)
    turn.count = len(tries)
    return sum(tried.refusal is None for tried in tries)


def _execute(run: Run) -> list[Try]:
    """Post the run's events one after the other, and note how each went."""
    began = time.monotonic()
    tries = _post_each(run)
    _note(run, tries, time.monotonic() - began)
    return tries


def _post_each(run: Run) -> list[Try]:
    """Try each delivery once, while the address answers and time is left, but none behind a refused one.

    The order counts within a connection. One delivery is tried however long the look-up of the name took: a run
    without a try would be followed by another.
    """
    began = time.monotonic()
    try:
        secrets, address = read_secrets(run.endpoint), look_up(run.endpoint.url)
    except NotAcceptedError as refusal:
        return [Try(run.deliveries[0], time.monotonic() - began, None, refusal)]
    messages = read_each([delivery.event_id for delivery in run.deliveries])
    tries: list[Try] = []
    refused: set[int] = set()
    for delivery, message in zip(run.deliveries, messages, strict=True):
        if tries and time.monotonic() > began + MAX_RUN:
            break
        if delivery.ordering_key and delivery.ordering_key in refused:
            continue
        tried = _post(address, secrets, delivery, message)
        tries.append(tried)
        if tried.refusal is not None:
            refused.add(delivery.ordering_key)
            # It would take none of the rest now, or asked to be left alone.
            if tried.refusal.silent or tried.refusal.retry_after:
                break
    return tries


def _post(address: Address, secrets: list[str], delivery: WebhookDelivery, message: Message | None) -> Try:
    began = time.monotonic()
    if message is None:
        return Try(delivery, 0, None, NotAcceptedError("The event's body cannot be read: FIELD_ENCRYPTION_KEYS."))
    try:
        status = post_signed(address, secrets, message.message_id, message.body.encode())
    except NotAcceptedError as refusal:
        return Try(delivery, time.monotonic() - began, refusal.status, refusal)
    except Exception as error:
        # An error in the portal ends this delivery after its tries, and no other.
        log.exception("webhook_not_posted", delivery=delivery.pk)
        return Try(delivery, time.monotonic() - began, None, NotAcceptedError(describe_error(error)))
    return Try(delivery, time.monotonic() - began, status)


@transaction.atomic
def _note(run: Run, tries: list[Try], seconds: float) -> None:
    """Store the outcomes of a run and make untried deliveries due again; those leased to another worker since stay.

    A refusal by a former url counts as untried, and the delivery has all its tries at the present one. `seconds` is
    how long the run took.
    """
    now, is_moved = timezone.now(), _is_moved(run.endpoint)
    mine = WebhookDelivery.objects.filter(
        pk__in=any_key([delivery.pk for delivery in run.deliveries]), state=State.WAITING, due_at=run.leased_until
    )
    held = set(mine.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
    if untried := held - {tried.delivery.pk for tried in tries if tried.refusal is None or not is_moved}:
        again = WebhookDelivery.objects.filter(pk__in=any_key(list(untried)))
        again.update(due_at=now, attempt_count=0 if is_moved else F("attempt_count") - 1)
    for status, taken in _by_status(tries).items():
        keys = [tried.delivery.pk for tried in taken if tried.delivery.pk in held]
        WebhookDelivery.objects.filter(pk__in=any_key(keys)).update(
            state=State.DELIVERED,
            finished_at=now,
            response_status=status,
            duration=mean(tried.seconds for tried in taken),
            error="",
        )
    for tried in tries:
        if tried.refusal is not None and tried.delivery.pk in held - untried:
            _set_back(tried, tried.refusal, now)
    _note_address(run.endpoint, tries, now, was_long=len(tries) >= MANY or seconds >= MAX_RUN)


def _is_moved(endpoint: WebhookEndpoint) -> bool:
    """Return whether the url has changed since. Locks the address: a new url makes due what is noted before it."""
    locked = WebhookEndpoint.objects.select_for_update(no_key=True).filter(pk=endpoint.pk)
    return locked.values_list("url", flat=True).first() != endpoint.url


def _by_status(tries: list[Try]) -> dict[int | None, list[Try]]:
    """Return the taken deliveries by the status of the answer, for one UPDATE each."""
    found: dict[int | None, list[Try]] = defaultdict(list)
    for tried in tries:
        if tried.refusal is None:
            found[tried.status].append(tried)
    return found


def _set_back(tried: Try, refusal: NotAcceptedError, now: datetime) -> None:
    fields: dict[str, Any] = {"response_status": tried.status, "duration": tried.seconds, "error": str(refusal)[:300]}
    if tried.delivery.attempt_count > len(PAUSES):
        fields |= {"state": State.DEAD, "finished_at": now}
    else:
        fields["due_at"] = now + max(_pause_after(tried.delivery), timedelta(seconds=refusal.retry_after or 0))
    WebhookDelivery.objects.filter(pk=tried.delivery.pk).update(**fields)


def _pause_after(delivery: WebhookDelivery) -> timedelta:
    return timedelta(seconds=PAUSES[min(delivery.attempt_count, len(PAUSES)) - 1])


def _note_address(endpoint: WebhookEndpoint, tries: list[Try], now: datetime, *, was_long: bool) -> None:
    """Let an address rest that is silent, refuses all or asks for it; switch it off after a day without success."""
    # Not if the url was changed meanwhile: the new one has done nothing yet.
    same = WebhookEndpoint.objects.filter(pk=endpoint.pk, url=endpoint.url)
    if any(tried.refusal is None for tried in tries):
        same.update(last_delivered_at=now, failing_since=None)
        if endpoint.failing_since is not None:
            clear_alerts(key=alert_key(endpoint))
    last = tries[-1].refusal if tries else None
    if last is None:
        return
    asked = timedelta(seconds=last.retry_after or 0)
    refuses_all = was_long and all(tried.refusal for tried in tries)
    pause = min(_pause_after(tries[-1].delivery), MAX_SILENCE)
    rest = max(asked, pause) if last.silent or refuses_all else asked
    same.filter(failing_since=None).update(failing_since=now)
    same.update(rests_until=now + rest)
    if same.filter(is_active=True, failing_since__lt=now - SWITCHED_OFF_AFTER).update(is_active=False):
        text = f"The webhook {endpoint.host} took nothing for a day and is switched off: {last}"
        raise_alert(Alert.Kind.EVENTS, alert_key(endpoint), text)


def alert_key(endpoint: WebhookEndpoint) -> str:
    """Return the key of the address's alert: one alert stands for all its failures."""
    return f"webhook:{endpoint.pk}"
