"""Metrics of alerts."""

from collections.abc import Iterator

from django.db.models import Count
from prometheus_client.core import Metric

from integrations.alerts.models import Alert
from partner_portal.core.metrics import METRICS, gauge


@METRICS.add()
def alerts() -> Iterator[Metric]:
    """Yield every kind, also with 0: an alerting rule needs a series to look at."""
    counts = dict(Alert.objects.filter(cleared_at=None).values_list("kind").annotate(Count("pk")).order_by())
    rows = [(kind.value, counts.get(kind.value, 0)) for kind in Alert.Kind]
    yield gauge("portal_alerts_open", "Alerts nobody has cleared", ["kind"], rows)
