"""Numbers that link to the list they count; counting stops at `MAX_COUNT`."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Model, QuerySet
from django.urls import reverse
from django.utils import formats
from django.utils.http import urlencode

# Larger counts are shown as this number with "+", because counting further would cost more than it tells.
MAX_COUNT = 10_000


@dataclass(frozen=True)
class Number:
    """A capped count with the URL of its list."""

    count: int
    url: str

    def __str__(self) -> str:
        shown = formats.number_format(min(self.count, MAX_COUNT), use_l10n=True, force_grouping=True)
        return f"{shown}+" if self.count > MAX_COUNT else shown


@dataclass(frozen=True)
class Total(Number):
    """A sum that is known already and is shown in full."""

    def __str__(self) -> str:
        return str(formats.number_format(self.count, use_l10n=True, force_grouping=True))


def first_rows(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Limit a query to the rows that are counted, plus one that shows that there are more."""
    return rows[: MAX_COUNT + 1]


def capped(rows: QuerySet[Any], url: str) -> Number:
    """Return the number of rows, counted up to `MAX_COUNT`, with the URL of their list."""
    return Number(first_rows(rows.order_by().values("pk")).count(), url)


def list_url(model: type[Model], **filters: str | int) -> str:
    """Return the URL of a model's admin list with these filters."""
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{address}?{urlencode(filters)}" if filters else address
