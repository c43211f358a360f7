"""Metrics of e-mails."""

from collections.abc import Iterator

from django.db.models import Count, Q
from prometheus_client.core import Metric

from accounts.emails import EMAILS
from accounts.models import OutgoingEmail
from partner_portal.core.metrics import METRICS, gauge
from partner_portal.core.models import FailedItem


@METRICS.add()
def outgoing_emails() -> Iterator[Metric]:
    gone = Q(pk__in=FailedItem.objects.filter(queue=EMAILS.name, dead_at__isnull=False).values("item"))
    counts = OutgoingEmail.objects.unsent().aggregate(waiting=Count("pk", ~gone), given_up=Count("pk", gone))
    yield gauge("portal_emails", "E-mails that were not sent", ["state"], counts.items())
