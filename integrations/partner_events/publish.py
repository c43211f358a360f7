"""Storing events in the transaction of the change they report."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from integrations.partner_events.models import NamedPerson, PartnerEvent, WebhookEndpoint
from integrations.partner_events.named_people import people_in
from partner_portal.core.exact_json import ExactEncoder
from partner_portal.core.wake import wake


@dataclass(frozen=True)
class NewEvent:
    """An event to publish: `data` is what the API shows, with values as a serializer gives them."""

    type: str
    application_id: int  # the row's key, not Altegio's id
    data: Mapping[str, Any]
    # Events of one connection reach an address in order; None if it is about no connection.
    connection_id: int | None
    endpoint: WebhookEndpoint | None = None


def publish(events: Iterable[NewEvent]) -> list[PartnerEvent]:
    """Store events for the feed and the webhooks in one query, and the people they name in another.

    Call it in the transaction of the change.
    """
    events, now = list(events), timezone.now()
    rows = [
        PartnerEvent(
            type=event.type,
            application_id=event.application_id,
            connection_id=event.connection_id,
            endpoint=event.endpoint,
            body=_body(event, now),
            created_at=now,
        )
        for event in events
    ]
    if rows:
        PartnerEvent.objects.bulk_create(rows, batch_size=500)
        pairs = [(row, person) for row, event in zip(rows, events, strict=True) for person in people_in(event.data)]
        NamedPerson.objects.bulk_create([NamedPerson(event=row, person=who) for row, who in pairs], batch_size=500)
        transaction.on_commit(_wake)
    return rows


def _body(event: NewEvent, now: datetime) -> str:
    """Return `type`, `timestamp` and `data` as JSON, as the Standard Webhooks specification advises."""
    body = {"type": event.type, "timestamp": now.isoformat(), "data": event.data}
    text: str = ExactEncoder(ensure_ascii=False).encode(body)
    return text


def _wake() -> None:
    wake("integrations.partner_events.tasks.fan_out")
