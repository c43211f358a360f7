"""Metrics of webhooks."""

from collections.abc import Iterator

from django.db.models import Count, Min
from django.utils import timezone
from prometheus_client.core import Metric

from integrations.partner_events.models import WebhookDelivery, WebhookEndpoint
from partner_portal.core.metrics import METRICS, gauge


@METRICS.add()
def webhooks() -> Iterator[Metric]:
    """Yield how many deliveries wait, for how long, and how many addresses fail."""
    now, waiting = timezone.now(), WebhookDelivery.objects.filter(state=WebhookDelivery.State.WAITING)
    counts = waiting.aggregate(count=Count("pk"), oldest=Min("created_at"))
    yield gauge("portal_webhook_deliveries_waiting", "Events on their way to the partner", [], [(counts["count"],)])
    age = (now - (counts["oldest"] or now)).total_seconds()
    yield gauge("portal_webhook_oldest_waiting_seconds", "Age of the oldest event on its way", [], [(age,)])
    failing = WebhookEndpoint.objects.exclude(failing_since=None).count()
    yield gauge("portal_webhooks_failing", "Addresses that take nothing at the moment", [], [(failing,)])
