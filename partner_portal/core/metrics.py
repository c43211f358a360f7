"""Metrics for Prometheus at /metrics/, read from the database at each request.

No process keeps its own counters, so every web process gives the same answer. A feature registers a function that
yields its metric families in a constant number of queries.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from partner_portal.core.encryption import same
from partner_portal.core.extension_points import ExtensionPoint

Collect = Callable[[], Iterable[Metric]]
METRICS = ExtensionPoint[Collect]("metrics", "Numbers for Prometheus, in a constant number of queries.")


def gauge(name: str, help_text: str, labels: Iterable[str], rows: Iterable[tuple[Any, ...]]) -> Metric:
    """Return a gauge family; each of `rows` contains the labels' values and then the number."""
    family = GaugeMetricFamily(name, help_text, labels=list(labels))
    for *values, number in rows:
        family.add_metric([str(value) for value in values], float(number))
    return family


class _Everything(Collector):
    def collect(self) -> Iterator[Metric]:
        for collect in METRICS:
            yield from collect()


@require_GET
def metrics(request: HttpRequest) -> HttpResponse:
    """Return the metrics to callers with `METRICS_TOKEN`, 401 to others, and 404 if no token is configured."""
    if not settings.METRICS_TOKEN:
        raise Http404
    if not same(request.headers.get("Authorization", ""), f"Bearer {settings.METRICS_TOKEN}"):
        return HttpResponse("A bearer token is needed.\n", "text/plain", 401, headers={"WWW-Authenticate": "Bearer"})
    registry = CollectorRegistry()
    registry.register(_Everything())
    return HttpResponse(generate_latest(registry), CONTENT_TYPE_LATEST)
