"""Stored figures of the months: the present one is counted each hour, a past one until it has settled."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from django.db.models import Max
from django.utils import timezone

from billing.figures.counting import PAID_AFTER_TRIAL, Place, PlaceFigures, count_month
from billing.models import MonthlyFigures
from integrations.connections.models import Application
from partner_portal.core.periods import Span, today
from partner_portal.core.queues import run_steps

MONTHS = 12
# The maximum age of the figures of the present month, and of a past month that may still change.
PRESENT_EVERY, UNSETTLED_EVERY = timedelta(hours=1), timedelta(days=1)


def shown_months() -> list[date]:
    """Return the first days of the months on the page, newest first, beginning with the present month."""
    last = today().year * 12 + today().month - 1
    return [date(number // 12, number % 12 + 1, 1) for number in range(last, last - MONTHS, -1)]


def month_span(month: date) -> Span:
    """Return the month's first moment and that of the next month, in UTC."""
    start = datetime(month.year, month.month, 1, tzinfo=UTC)
    return start, (start + timedelta(days=32)).replace(day=1)


def count_due_months() -> int:
    """Count the months whose figures are missing or too old. Returns how many; any number of workers may do so.

    A past month changes until its trials could have been paid for (docs/operations.md); then it stays as it is.
    """
    now = timezone.now()
    known = MonthlyFigures.objects.in_bulk(shown_months())
    due = [month for month in shown_months() if _is_due(month, known.get(month), now)]
    trial: int = Application.objects.aggregate(days=Max("trial_days"))["days"] or 0
    return run_steps(*(partial(_count_figures, month, now, timedelta(days=trial)) for month in due)) if due else 0


def _is_due(month: date, known: MonthlyFigures | None, now: datetime) -> bool:
    if known is None:
        return True
    ends = month_span(month)[1]
    if known.counted_at < ends:
        return now >= min(ends, known.counted_at + PRESENT_EVERY)
    return not known.is_settled and known.counted_at <= now - UNSETTLED_EVERY


def _count_figures(month: date, now: datetime, trial: timedelta) -> None:
    span = month_span(month)
    row = MonthlyFigures(
        month=month,
        places=[_stored(place, figures) for place, figures in sorted(count_month(span, now).items())],
        is_settled=now >= span[1] + trial + PAID_AFTER_TRIAL,
        counted_at=now,
    )
    MonthlyFigures.objects.bulk_create(
        [row],
        update_conflicts=True,
        unique_fields=["month"],
        update_fields=["places", "is_settled", "counted_at"],
    )


_NUMBERS = ("activated", "live", "uninstalled", "trials", "paid")


def _stored(place: Place, figures: PlaceFigures) -> dict[str, Any]:
    return {
        "application": place[0],
        "country": place[1],
        **{name: getattr(figures, name) for name in _NUMBERS},
        "revenue": {currency: str(amount) for currency, amount in sorted(figures.revenue.items())},
        "seconds": sorted(figures.seconds.items()),
    }


def places_of(row: MonthlyFigures) -> dict[Place, PlaceFigures]:
    """Return what `_count_figures` stored, in the form in which it was counted."""
    return {
        (stored["application"], stored["country"]): PlaceFigures(
            **{name: stored[name] for name in _NUMBERS},
            revenue={currency: Decimal(amount) for currency, amount in stored["revenue"].items()},
            seconds=Counter(dict(stored["seconds"])),
        )
        for stored in row.places
    }
