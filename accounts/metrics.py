"""Letters in numbers."""

from collections.abc import Iterator

from django.db.models import Count, Q
from prometheus_client.core import Metric

from accounts.letters import LETTERS
from accounts.models import Letter
from partner_portal.metrics import gauge, register_metrics
from partner_portal.models import FailedItem


@register_metrics
def letters() -> Iterator[Metric]:
    gone = Q(pk__in=FailedItem.objects.filter(queue=LETTERS.name, dead_at__isnull=False).values("item"))
    counts = Letter.objects.filter(sent_at=None).aggregate(waiting=Count("pk", ~gone), given_up=Count("pk", gone))
    yield gauge("portal_letters", "Letters that were not sent", ["state"], counts.items())
