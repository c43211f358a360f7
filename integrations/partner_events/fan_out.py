"""Giving events their position in the feed, and a delivery to each address that wants them."""

from collections.abc import Iterable

from django.db import transaction

from integrations.partner_events.models import PartnerEvent, WebhookDelivery, WebhookEndpoint
from integrations.partner_events.reading import without_secrets
from partner_portal.core.feed import place
from partner_portal.core.wake import wake

BATCH = 500


def fan_out() -> int:
    """Take up whatever is committed and has no position yet, oldest first; return how many events.

    Any number of workers may call it: only one works at a time.
    """
    done = 0
    while count := fan_out_batch():
        done += count
    return done


@transaction.atomic
def fan_out_batch() -> int:
    """Take up the oldest BATCH of them; return how many."""
    keys = place(PartnerEvent, BATCH)
    events = PartnerEvent.objects.filter(pk__in=keys).defer("body").order_by("pk") if keys else ()
    deliveries = list(_deliveries(events))
    if deliveries:
        WebhookDelivery.objects.bulk_create(deliveries, batch_size=1000)
        transaction.on_commit(_wake)
    return len(keys)


def _deliveries(events: Iterable[PartnerEvent]) -> Iterable[WebhookDelivery]:
    endpoints = list(without_secrets().filter(is_active=True)) if events else []
    for event in events:
        for endpoint in endpoints:
            if endpoint.wants(event):
                yield delivery_of(event, endpoint)


def delivery_of(event: PartnerEvent, endpoint: WebhookEndpoint) -> WebhookDelivery:
    """Return a delivery of the event to the address, not stored yet."""
    return WebhookDelivery(endpoint=endpoint, event=event, ordering_key=event.connection_id or 0)


def _wake() -> None:
    wake("integrations.partner_events.tasks.deliver")
