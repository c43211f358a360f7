"""Metrics of outgoing calls: what waits, how late it is, how it ended, how much of the budget is used."""

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.db.models import Count, Min
from django.utils import timezone
from prometheus_client.core import Metric

from integrations.outbox import rate
from integrations.outbox.claim import due_calls, held_slots
from integrations.outbox.models import UNFINISHED, OutgoingCall, Priority
from integrations.outbox.token_stop import token_is_stopped
from partner_portal.core.metrics import METRICS, gauge

RECENT = timedelta(hours=1)


@METRICS.add()
def calls() -> Iterator[Metric]:
    """Yield the numbers of waiting and of ended calls: each is read from an index made for it."""
    unfinished = OutgoingCall.objects.filter(state__in=UNFINISHED).values_list("kind", "state")
    yield gauge(
        "portal_calls_waiting",
        "Outgoing calls that have not ended",
        ["kind", "state"],
        unfinished.annotate(Count("pk")).order_by(),
    )
    ended = OutgoingCall.objects.filter(finished_at__gt=timezone.now() - RECENT).values_list("kind", "state")
    yield gauge(
        "portal_calls_ended_last_hour",
        "Outgoing calls that ended in the last hour, by how",
        ["kind", "outcome"],
        ended.annotate(Count("pk")).order_by(),
    )


@METRICS.add()
def overdue() -> Iterator[Metric]:
    """Yield how long the oldest due call has waited, in seconds; every priority is named, also with 0."""
    now = timezone.now()
    oldest = dict(due_calls(now).order_by().values_list("priority").annotate(Min("due_at")))
    rows = [(priority.name.lower(), (now - oldest.get(priority.value, now)).total_seconds()) for priority in Priority]
    yield gauge("portal_oldest_overdue_seconds", "Age of the oldest call that is due", ["priority"], rows)


@METRICS.add()
def held() -> Iterator[Metric]:
    """Yield the number of threads that wait for overdue answers."""
    text = "Calls on their way for more than half of ALTEGIO_TIMEOUT; each holds a worker's thread"
    yield gauge("portal_calls_held", text, [], [(held_slots(timezone.now()),)])


@METRICS.add()
def budget() -> Iterator[Metric]:
    used = rate.used_in_the_last_minute() / settings.ALTEGIO_REQUESTS_PER_MINUTE
    yield gauge("portal_call_rate_used_ratio", "Share of the calls a minute allows", [], [(used,)])
    yield gauge("portal_token_stopped", "1 while Altegio refuses the partner token", [], [(token_is_stopped(),)])
