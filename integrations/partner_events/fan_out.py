"""Giving events their place in the feed and their way to each address that wants them."""

from collections.abc import Iterable

from django.db import transaction

from integrations.partner_events.models import PartnerEvent, WebhookDelivery, WebhookEndpoint
from integrations.partner_events.reading import without_secrets
from partner_portal.core.feed import place
from partner_portal.core.wake import wake

BATCH = 500


def fan_out() -> int:
    """Take up whatever is committed and has no place yet, oldest first; returns how many events.

    Any number of workers may do so: one at a time does.
    """
    done = 0
    while count := fan_out_batch():
        done += count
    return done


@transaction.atomic
def fan_out_batch() -> int:
    """The same for the oldest BATCH of them."""
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
    """The way of one event to one address, not stored yet."""
    return WebhookDelivery(endpoint=endpoint, event=event, ordering_key=event.connection_id or 0)


def _wake() -> None:
    wake("integrations.partner_events.tasks.deliver")
