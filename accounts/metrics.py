"""Letters in numbers."""

from collections.abc import Iterator

from django.db.models import Count, Q
from prometheus_client.core import Metric

from accounts.letters import MOST_TRIES
from accounts.models import Letter
from partner_portal.metrics import gauge, register_metrics


@register_metrics
def letters() -> Iterator[Metric]:
    waits = Q(tries__lt=MOST_TRIES)
    counts = Letter.objects.filter(sent_at=None).aggregate(waiting=Count("pk", waits), given_up=Count("pk", ~waits))
    yield gauge("portal_letters", "Letters that were not sent", ["state"], counts.items())
