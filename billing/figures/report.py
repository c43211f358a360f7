"""The figures of the last twelve months for chosen applications and countries, read only from the stored rows."""

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
    """Return `part` of `whole` in percent, with one decimal; None if `whole` is 0."""
    return (Decimal(100 * part) / whole).quantize(Decimal("0.1")) if whole else None


def percentile(seconds: Counter[int], per_cent: int) -> int | None:
    """Return the smallest time within which `per_cent` percent of them lie (nearest rank); None if there are none."""
    wanted, seen = ceil(seconds.total() * per_cent / 100), 0
    for took in sorted(seconds):
        seen += seconds[took]
        if seen >= wanted:
            return took
    return None


@dataclass(frozen=True)
class Filters:
    """The chosen application and country; None chooses all."""

    application: int | None = None
    country: str | None = None

    def includes(self, place: Place) -> bool:
        """Return whether the figures of this place count."""
        return self.application in (None, place[0]) and self.country in (None, place[1])


@dataclass(frozen=True)
class MonthFigures:
    """The figures of one month by place, as far as the filters include them."""

    month: date
    places: dict[Place, PlaceFigures]
    is_settled: bool
    counted_at: datetime | None

    @cached_property
    def total(self) -> PlaceFigures:
        """The sum of all its places."""
        total = PlaceFigures()
        for figures in self.places.values():
            total.add(figures)
        return total


@dataclass(frozen=True)
class Report:
    """The figures of twelve months, newest first, with the applications and countries to choose from."""

    months: list[MonthFigures]
    applications: dict[int, Application]  # by pk
    countries: list[str]

    @property
    def currencies(self) -> list[str]:
        """The currencies in which anything is paid in any of the months."""
        return sorted({currency for month in self.months for currency in month.total.revenue})

    @property
    def counted_at(self) -> datetime | None:
        """When the present month was counted."""
        return self.months[0].counted_at


def read_report(filters: Filters) -> Report:
    """Read the report in two queries: one for the stored months, one for the applications."""
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
