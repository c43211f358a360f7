"""Consumers of entity events inside the project.

A feature that wants entity events adds a function under a name that stays the same from release to release:

    from integrations.webhooks.consumers import CONSUMERS, IncomingEvent

    @CONSUMERS.add("my-feature")
    def take(events: Sequence[IncomingEvent]) -> None: ...

A worker calls it with batches of one application's events, in a transaction that also marks the batch as delivered,
so what it writes to the database happens once. If it raises, the batch is halved and tried again later, until the
event that it cannot take stands alone and ends as a dead letter. Events come in no fixed order, and may come twice
(`is_duplicate`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from integrations.webhooks.models import Event
from partner_portal.core.clean import parse_json
from partner_portal.core.extension_points import ExtensionPoint


@dataclass(frozen=True)
class IncomingEvent:
    """One stored request. `body` is the JSON value as it came: mostly an object, sometimes a list of them."""

    id: int
    received_at: datetime
    application_id: int
    salon_id: int
    body: Any
    flag: str
    is_duplicate: bool
    installation_id: int
    size: int  # bytes of the body as it came

    @property
    def items(self) -> list[dict[str, Any]]:
        """The objects in the body: one object and lists of them have both been seen live."""
        entries = self.body if isinstance(self.body, list) else [self.body]
        return [entry for entry in entries if isinstance(entry, dict)]


Consumer = Callable[[Sequence[IncomingEvent]], None]
CONSUMERS = ExtensionPoint[Consumer]("consumers", "Takes every entity event inside the project, in batches.")


def read_events(event_ids: Sequence[int]) -> list[IncomingEvent]:
    """Return the stored events of a batch, oldest first; those that retention has deleted are left out."""
    found = with_places(Event.objects.filter(pk__in=event_ids))
    return [incoming(event, parse_body(event.body)) for event in found.order_by("id")]


def with_places(events: QuerySet[Event]) -> QuerySet[Event]:
    """Return the events with application and location; the installation's keys, slow to decrypt, stay unread."""
    read = events.select_related("installation__application", "installation__location")
    return read.defer("installation__api_key", "installation__events_key")


def incoming(event: Event, body: Any) -> IncomingEvent:
    """Return a stored event with its installation's application and location, and its parsed body."""
    return IncomingEvent(
        id=event.pk,
        received_at=event.received_at,
        application_id=event.installation.application.altegio_id,
        salon_id=event.installation.location.altegio_id,
        body=body,
        flag=event.flag,
        is_duplicate=event.is_duplicate,
        installation_id=event.installation_id,
        size=len(event.body.encode()),
    )


def parse_body(text: str) -> Any:
    """Return a stored body with clean texts and exact decimals; a number of absurd size becomes a text."""
    return parse_json(text, strict=True)
