"""Publishing of entity events for the partner's systems: the type `altegio.events` (docs/interface.md §5a)."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db.models import OuterRef, Subquery

from integrations.connections.models import Connection, Installation
from integrations.partner_events import types
from integrations.partner_events.publish import NewEvent, publish
from integrations.webhooks.consumers import IncomingEvent

MAX_IN_A_BATCH = 100
MAX_BATCH_SIZE = 512 * 1024  # bytes


def publish_events(events: Sequence[IncomingEvent]) -> None:
    """Publish batches of one connection each, in the order in which the events came; two queries for any number.

    Call it in the transaction that marks the events as forwarded.
    """
    by_installation: dict[int, list[IncomingEvent]] = defaultdict(list)
    for event in events:
        by_installation[event.installation_id].append(event)
    publish(_new_events(by_installation))


def batches(events: Iterable[IncomingEvent]) -> Iterator[list[IncomingEvent]]:
    """Yield the events in batches that are neither too many nor too large; one that is too large stands alone."""
    batch: list[IncomingEvent] = []
    size = 0
    for event in events:
        if batch and (len(batch) >= MAX_IN_A_BATCH or size + event.size > MAX_BATCH_SIZE):
            yield batch
            batch, size = [], 0
        batch.append(event)
        size += event.size
    if batch:
        yield batch


def _new_events(by_installation: dict[int, list[IncomingEvent]]) -> Iterator[NewEvent]:
    there = Connection.objects.at(OuterRef("application"), OuterRef("location")).current_first().values("pk")[:1]
    installations = Installation.objects.filter(pk__in=by_installation).annotate(connection=Subquery(there))
    for key, application_id, connection_id in installations.values_list("pk", "application", "connection"):
        for batch in batches(by_installation[key]):
            data = {"events": [_shown(event) for event in batch]}
            yield NewEvent(types.ALTEGIO_EVENTS, application_id, data, connection_id=connection_id)


def _shown(event: IncomingEvent) -> dict[str, Any]:
    return {
        "id": event.id,
        "received_at": event.received_at,
        "application_id": event.application_id,
        "salon_id": event.salon_id,
        "is_duplicate": event.is_duplicate,
        "flag": event.flag,
        "body": event.body,
    }
