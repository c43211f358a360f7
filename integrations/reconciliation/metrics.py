"""Metric of how old the portal's knowledge is: the longest time since Altegio was asked about a live connection."""

from collections.abc import Iterator

from django.db.models import Min
from django.utils import timezone
from prometheus_client.core import Metric

from integrations.connections.models import Connection
from partner_portal.core.metrics import METRICS, gauge


@METRICS.add()
def oldest_status() -> Iterator[Metric]:
    """Yield the age, read from the index that also finds the next connection to ask about."""
    now = timezone.now()
    oldest = Connection.objects.live().aggregate(oldest=Min("status_asked_at"))["oldest"] or now
    text = "Seconds since Altegio was asked about the live connection that was asked about longest ago"
    yield gauge("portal_oldest_status_seconds", text, [], [((now - oldest).total_seconds(),)])
