"""Metrics of contract drift."""

from collections.abc import Iterator

from prometheus_client.core import Metric

from integrations.contract_drift.models import Drift
from partner_portal.core.metrics import METRICS, gauge


@METRICS.add()
def contract_drift() -> Iterator[Metric]:
    """Yield the count of each difference that nobody has marked as known; the number of rows is limited."""
    rows = Drift.objects.filter(known_at=None).order_by("pk").values_list("subject", "kind", "path", "value", "count")
    labels = ["subject", "kind", "path", "value"]
    yield gauge("portal_contract_drift", "Differences from the contract that nobody marked as known", labels, rows)
