"""Alarms in numbers."""

from collections.abc import Iterator

from django.db.models import Count
from prometheus_client.core import Metric

from integrations.alarms.models import Alarm
from partner_portal.metrics import gauge, register_metrics


@register_metrics
def alarms() -> Iterator[Metric]:
    """Every kind is named, also with 0: an alert needs something to look at."""
    counts = dict(Alarm.objects.filter(cleared_at=None).values_list("kind").annotate(Count("pk")).order_by())
    rows = [(kind.value, counts.get(kind.value, 0)) for kind in Alarm.Kind]
    yield gauge("portal_alarms_open", "Alarms nobody has cleared", ["kind"], rows)
