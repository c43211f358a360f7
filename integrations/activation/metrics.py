"""Metrics of activations: how long they took, and which are running out of time."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.db.models import Count, DurationField, ExpressionWrapper, F, Q, Sum
from django.utils import timezone
from prometheus_client.core import GaugeHistogramMetricFamily, Metric

from integrations.connections.models import Connection, State
from partner_portal.core.metrics import METRICS, gauge

RECENT = timedelta(hours=1)
# Seconds from arrival to activation.
BUCKETS = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1200, 1800, 2400, 3000, 3600)
# Seconds that are left.
SOON = (600, 1800)


@METRICS.add()
def running_out() -> Iterator[Metric]:
    """Yield the connections that Altegio has not accepted yet, though their window closes soon."""
    now = timezone.now()
    ends = {str(left): Count("pk", Q(deadline_at__lte=now + timedelta(seconds=left))) for left in SOON}
    latest = now + timedelta(seconds=max(SOON))
    soon = Connection.objects.filter(state=State.GRANTED, deadline_at__gt=now, deadline_at__lte=latest)
    yield gauge(
        "portal_connections_running_out",
        "Connections not activated whose window closes within so many seconds",
        ["within"],
        soon.aggregate(**ends).items(),
    )


@METRICS.add()
def time_to_activation() -> Iterator[Metric]:
    """Yield the activations of the last hour as a histogram: a snapshot, not a counter."""
    recent = Connection.objects.filter(activated_at__gt=timezone.now() - RECENT)
    took = ExpressionWrapper(F("activated_at") - F("arrived_at"), output_field=DurationField())
    within: dict[str, Any] = {
        f"within_{seconds}": Count("pk", Q(activated_at__lte=F("arrived_at") + timedelta(seconds=seconds)))
        for seconds in BUCKETS
    }
    found = recent.aggregate(count=Count("pk"), total=Sum(took), **within)
    buckets = [(str(float(seconds)), found[f"within_{seconds}"]) for seconds in BUCKETS]
    total = found["total"] or timedelta()
    family = GaugeHistogramMetricFamily(
        "portal_activation_seconds", "Seconds from arrival to activation, of the last hour's activations"
    )
    family.add_metric([], [*buckets, ("+Inf", found["count"])], gsum_value=total.total_seconds())
    yield family
