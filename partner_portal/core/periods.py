"""Periods by which the admin's lists are filtered: `?when=today`, `?when=2026-11-21`."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import formats, timezone

from partner_portal.core.admin_base import Lookups
from partner_portal.core.english import english as _

Span = tuple[datetime, datetime]


def day_span(day: date) -> Span:
    """Return the start of a day and of the next one, in UTC."""
    start = datetime.combine(day, time(), tzinfo=UTC)
    return start, start + timedelta(days=1)


def today() -> date:
    """Return the current day in UTC."""
    return timezone.now().astimezone(UTC).date()


def span_of(when: str) -> Span | None:
    """Return the period that `when` names: today, yesterday, 24h, 48-24h, 14d or an ISO date; None for others."""
    now, this_day = timezone.now(), today()
    named = {
        "today": day_span(this_day),
        "yesterday": day_span(this_day - timedelta(days=1)),
        "24h": (now - timedelta(hours=24), now),
        "48-24h": (now - timedelta(hours=48), now - timedelta(hours=24)),
        "14d": (day_span(this_day - timedelta(days=13))[0], now),
    }
    if when in named:
        return named[when]
    try:
        return day_span(date.fromisoformat(when))
    except (ValueError, OverflowError):
        return None


class PeriodFilter(admin.SimpleListFilter):
    """A filter by time; subclasses name the column, which must have an index."""

    title = _("time")
    parameter_name = "when"
    column: str

    def lookups(self, request: HttpRequest, model_admin: Any) -> Lookups:
        offered: Lookups = [
            ("today", _("today")),
            ("yesterday", _("yesterday")),
            ("24h", _("the last 24 hours")),
            ("48-24h", _("the 24 hours before")),
            ("14d", _("the last 14 days")),
        ]
        chosen = request.GET.get(self.parameter_name, "")
        if chosen and chosen not in dict(offered) and (span := span_of(chosen)):
            offered.append((chosen, formats.date_format(span[0], "DATE_FORMAT")))
        return offered

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        span = span_of(self.value() or "")
        if span is None:
            return queryset
        return queryset.filter(**{f"{self.column}__gte": span[0], f"{self.column}__lt": span[1]})
