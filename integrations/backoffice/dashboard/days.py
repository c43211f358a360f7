"""Counts of arrivals and state changes by day and application: ended days are stored, the others counted now."""

from collections import Counter
from datetime import UTC, date, timedelta
from functools import partial

from django.db.models import Count
from django.db.models.functions import TruncDate
from django.utils import timezone

from integrations.backoffice.dashboard.connection_events import events_of_change
from integrations.backoffice.models import DailyCounts
from integrations.connections.models import Arrival, ConnectionChange
from partner_portal.core.periods import Span, day_span, today
from partner_portal.core.queues import run_steps

DAYS = 14
# An arrival's outcome may change until its window closes, so a day is stored for good only this long after its end.
SETTLED_AFTER = timedelta(hours=2)
ARRIVED, REGISTERED = "arrived", "registered"

# Maps (day, application's pk, what) to a count. "What" is `ARRIVED`, `REGISTERED` or the value of a
# `ConnectionEvent`.
Counts = Counter[tuple[date, int, str]]


def shown_days() -> list[date]:
    """Return the days on the first page, newest first."""
    return [today() - timedelta(days=back) for back in range(DAYS)]


def counts_by_day() -> Counts:
    """Return all counts of the shown days, in at most three queries."""
    days = shown_days()
    counts: Counts = Counter()
    known = set()
    for row in DailyCounts.objects.filter(day__gte=days[-1]):
        known.add(row.day)
        counts.update({(row.day, application, what): number for application, what, number in row.counts})
    missing = [day for day in days if day not in known]
    if missing:
        fresh = _count((day_span(missing[-1])[0], day_span(missing[0])[1]))
        counts.update({key: number for key, number in fresh.items() if key[0] not in known})
    return counts


def sum_ended_days() -> int:
    """Count and store the ended days that are not stored yet; return how many. Several may run this at once."""
    settled = (timezone.now() - SETTLED_AFTER).astimezone(UTC).date()
    days = [day for day in shown_days() if day < settled]
    known = set(DailyCounts.objects.filter(day__in=days).values_list("day", flat=True))
    missing = [day for day in days if day not in known]
    return run_steps(*(partial(_sum_day, day) for day in missing))


def _sum_day(day: date) -> None:
    row = DailyCounts(day=day, counts=_for_storing(_count(day_span(day))))
    DailyCounts.objects.bulk_create([row], ignore_conflicts=True)


def _for_storing(counts: Counts) -> list[tuple[int, str, int]]:
    return [(application, what, number) for (_day, application, what), number in sorted(counts.items())]


def _count(span: Span) -> Counts:
    """Return the counts from state changes and arrivals themselves, in two queries over indexed time ranges."""
    counts: Counts = Counter()
    changes = ConnectionChange.objects.filter(at__gte=span[0], at__lt=span[1]).order_by()
    grouped = changes.values_list(TruncDate("at", tzinfo=UTC), "connection__application_id", "from_state", "to_state")
    for day, application, before, after, number in grouped.annotate(number=Count("pk")):
        for happened in events_of_change(before, after):
            counts[day, application, happened.value] += number
    arrivals = Arrival.objects.filter(arrived_at__gte=span[0], arrived_at__lt=span[1]).order_by()
    by_day = arrivals.values_list(TruncDate("arrived_at", tzinfo=UTC), "application_id")
    for day, application, number, registered in by_day.annotate(number=Count("pk"), registered=Count("user_id")):
        counts[day, application, ARRIVED] += number
        counts[day, application, REGISTERED] += registered
    return counts
