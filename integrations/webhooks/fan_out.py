"""Fan-out of events, once each: flag them, mark duplicates, publish for the partner, batch for the consumers."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import OuterRef, Q, Subquery
from django.utils import timezone

from integrations.altegio.wire import parse_id
from integrations.contract_drift.observe import observe_events
from integrations.webhooks.consumers import CONSUMERS, IncomingEvent, incoming, parse_body, with_places
from integrations.webhooks.models import Delivery, Event
from integrations.webhooks.publishing import batches, publish_events
from partner_portal.core.byte_portions import first_keys
from partner_portal.core.feed import take_turn
from partner_portal.core.queues import Queue
from partner_portal.core.skip_locked import skip_locked
from partner_portal.core.wake import wake

BATCH = 500
# Altegio retries within seconds (docs/altegio.md §4): the same body later is a new change to the same value.
SAME_WITHIN = timedelta(minutes=10)
WAITING = Queue.register(Queue("events", "Events to be forwarded", Event))


def fan_out() -> int:
    """Forward whatever waits, oldest first; return how many.

    Any number of workers may call it: only one works at a time, because two would mix up the order of a connection's
    events.
    """
    forwarded = 0
    while count := _fan_out_batch():
        forwarded += count
    return forwarded


def fan_out_again(events: Iterable[Event]) -> int:
    """Forward these events to everybody once more. Returns how many."""
    chosen = [event.pk for event in events]
    WAITING.forget(chosen)
    return Event.objects.filter(pk__in=chosen).update(forwarded_at=None)


@transaction.atomic
def _fan_out_batch() -> int:
    if not take_turn("webhooks.event"):
        return 0
    # Each row has a mark; with a cursor, a row of a slow transaction could appear behind it.
    waiting = WAITING.ready(Event.objects.filter(forwarded_at=None)).order_by("id")
    keys = first_keys(skip_locked(waiting), "body", BATCH)
    events = list(with_places(Event.objects.filter(pk__in=keys)).order_by("id")) if keys else []
    WAITING.work(events, _fan_out_together)
    return len(events)


def _fan_out_together(events: Sequence[Event]) -> None:
    bodies = [parse_body(event.body) for event in events]
    _mark(events, bodies, timezone.now())
    observe_events(bodies)
    read = [incoming(event, body) for event, body in zip(events, bodies, strict=True)]
    publish_events(read)
    deliveries = list(_deliveries(events, read))
    if deliveries:
        Delivery.objects.bulk_create(deliveries)
        transaction.on_commit(_wake)


def _wake() -> None:
    wake("integrations.webhooks.tasks.deliver")


def _mark(events: Sequence[Event], bodies: Sequence[Any], now: datetime) -> None:
    """Store what was found out about the batch, with one UPDATE for each kind of event in it."""
    repeated = _duplicates(events)
    groups: dict[tuple[str, bool], list[int]] = defaultdict(list)
    for event, body in zip(events, bodies, strict=True):
        event.flag, event.is_duplicate = flag_of(event, body), event.pk in repeated
        groups[event.flag, event.is_duplicate].append(event.pk)
    for (flag, is_duplicate), ids in groups.items():
        Event.objects.filter(pk__in=ids).update(forwarded_at=now, flag=flag, is_duplicate=is_duplicate)


def _duplicates(events: Sequence[Event]) -> set[int]:
    """Return the ids of events whose like came a short while before.

    One row of the index is read for each, however many are like it: anybody who knows an address may post the same
    body without end. Ordered only by the moment, no other index serves, whatever PostgreSQL believes of the table.
    """
    is_before = Q(received_at__lt=OuterRef("received_at")) | Q(pk__lt=OuterRef("pk"))
    same = Event.objects.filter(is_before, digest=OuterRef("digest"), received_at__lte=OuterRef("received_at"))
    last = Subquery(same.order_by("-received_at").values("received_at")[:1])
    judged = Event.objects.filter(pk__in=[event.pk for event in events]).annotate(last_at=last)
    pairs = judged.values_list("pk", "received_at", "last_at")
    return {pk for pk, at, last_at in pairs if last_at is not None and at - last_at < SAME_WITHIN}


def flag_of(event: Event, body: Any) -> str:
    """Return the flag of what is odd about an event with this body; "" for nothing."""
    entries = body if isinstance(body, list) else [body]
    ids = [parse_id(entry.get("company_id")) if isinstance(entry, dict) else None for entry in entries]
    if not ids or None in ids:
        return Event.Flag.SHAPE
    return "" if set(ids) == {event.installation.location.altegio_id} else Event.Flag.FOREIGN


def _deliveries(events: Sequence[Event], read: Sequence[IncomingEvent]) -> Iterator[Delivery]:
    by_application: dict[int, list[IncomingEvent]] = defaultdict(list)
    for event, item in zip(events, read, strict=True):
        by_application[event.installation.application_id].append(item)
    for application_id, mine in by_application.items():
        for batch in batches(mine):
            ids = [event.id for event in batch]
            for target in CONSUMERS.names():
                yield Delivery(target=target, application_id=application_id, event_ids=ids, count=len(ids))
