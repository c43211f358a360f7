"""Numbers that lead to the list they count, and never count more rows than somebody reads."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Model, QuerySet
from django.urls import reverse
from django.utils import formats
from django.utils.http import urlencode

# From here on it is "so many and more": counting further would cost more than it tells.
MAX_COUNT = 10_000


@dataclass(frozen=True)
class Number:
    """A count with the address of its list."""

    count: int
    url: str

    def __str__(self) -> str:
        shown = formats.number_format(min(self.count, MAX_COUNT), use_l10n=True, force_grouping=True)
        return f"{shown}+" if self.count > MAX_COUNT else shown


@dataclass(frozen=True)
class Total(Number):
    """A sum that was counted already, and is shown whole."""

    def __str__(self) -> str:
        return str(formats.number_format(self.count, use_l10n=True, force_grouping=True))


def first_rows(rows: QuerySet[Any]) -> QuerySet[Any]:
    """At most as many rows as are counted, and one more."""
    return rows[: MAX_COUNT + 1]


def capped(rows: QuerySet[Any], url: str) -> Number:
    """How many rows there are, counted as far as `MAX_COUNT`."""
    return Number(first_rows(rows.order_by().values("pk")).count(), url)


def list_url(model: type[Model], **filters: str | int) -> str:
    """The address of a model's list with these filters."""
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{address}?{urlencode(filters)}" if filters else address
