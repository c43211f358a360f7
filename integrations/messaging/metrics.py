"""Metrics of requested messages: how many wait for a status, and for how long."""

from collections.abc import Iterator

from django.db.models import Count
from django.utils import timezone
from prometheus_client.core import Metric

from integrations.messaging.models import RequestedMessage
from partner_portal.core.metrics import METRICS, gauge


@METRICS.add()
def requested_messages() -> Iterator[Metric]:
    """Yield the number of messages in each open state, including 0, and the age of the oldest without a status."""
    waiting = RequestedMessage.objects.filter(state__in=RequestedMessage.NOT_FINAL).order_by()
    counts = dict(waiting.values_list("state").annotate(Count("pk")))
    rows = [(state.value, counts.get(state.value, 0)) for state in RequestedMessage.NOT_FINAL]
    yield gauge("portal_messages_waiting", "Requested messages without a final status", ["state"], rows)
    requested = waiting.filter(state=RequestedMessage.State.REQUESTED).order_by("received_at")
    oldest, now = requested.values_list("received_at", flat=True).first(), timezone.now()
    age = (now - (oldest or now)).total_seconds()
    yield gauge(
        "portal_oldest_message_seconds", "Age of the oldest requested message without any status", [], [(age,)]
    )
