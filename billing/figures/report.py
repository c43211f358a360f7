"""The figures of the last twelve months for chosen applications and countries, from the stored rows alone."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from math import ceil

from billing.figures.counting import Place, PlaceFigures
from billing.figures.months import places_of, shown_months
from billing.models import MonthlyFigures
from integrations.connections.models import Application


def share(part: int, whole: int) -> Decimal | None:
    """Per cent with one decimal; None of nothing."""
    return (Decimal(100 * part) / whole).quantize(Decimal("0.1")) if whole else None


def percentile(seconds: Counter[int], per_cent: int) -> int | None:
    """The smallest time within which at least so many per cent were (nearest rank); None of nothing."""
    wanted, seen = ceil(seconds.total() * per_cent / 100), 0
    for took in sorted(seconds):
        seen += seconds[took]
        if seen >= wanted:
            return took
    return None


@dataclass(frozen=True)
class Filters:
    """Which places are meant; None for all of them."""

    application: int | None = None
    country: str | None = None

    def includes(self, place: Place) -> bool:
        """Return whether the figures of this place count."""
        return self.application in (None, place[0]) and self.country in (None, place[1])


@dataclass(frozen=True)
class MonthFigures:
    """One month, by place, as far as the filters include them."""

    month: date
    places: dict[Place, PlaceFigures]
    is_settled: bool
    counted_at: datetime | None

    @cached_property
    def total(self) -> PlaceFigures:
        """All its places added up."""
        total = PlaceFigures()
        for figures in self.places.values():
            total.add(figures)
        return total


@dataclass(frozen=True)
class Report:
    """Twelve months, newest first, and what may be chosen."""

    months: list[MonthFigures]
    applications: dict[int, Application]  # by pk
    countries: list[str]

    @property
    def currencies(self) -> list[str]:
        """Those in which something is paid in any of the months."""
        return sorted({currency for month in self.months for currency in month.total.revenue})

    @property
    def counted_at(self) -> datetime | None:
        """When the present month was counted."""
        return self.months[0].counted_at


def read_report(filters: Filters) -> Report:
    """Two queries: the stored months, and the applications."""
    stored = MonthlyFigures.objects.in_bulk(shown_months())
    read = {month: places_of(row) for month, row in stored.items()}
    known = {place for places in read.values() for place in places}
    months = [
        MonthFigures(
            month=month,
            places={place: figures for place, figures in read.get(month, {}).items() if filters.includes(place)},
            is_settled=month in stored and stored[month].is_settled,
            counted_at=stored[month].counted_at if month in stored else None,
        )
        for month in shown_months()
    ]
    applications = {row.pk: row for row in Application.objects.order_by("altegio_id")}
    return Report(months, applications, sorted({country for _application, country in known}))
