"""Keyset pagination of a query of any size in its own order: each page begins after the last row of the one before.

No transaction or cursor is held between two pages, so that PgBouncer may lend the connection to others, and every
page costs the same. Rows that are added while pages are read may be left out. If the order is the key alone, no row
comes twice.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast

from django.core.exceptions import FieldDoesNotExist
from django.db import connections
from django.db.models import F, Model, Q, QuerySet
from django.db.models.expressions import OrderBy


def read_pages(queryset: QuerySet[Any], size: int) -> Iterator[list[Any]]:
    """Yield the rows in the query's order, up to `size` at a time. The order must consist of column names or F()."""
    order = cast("Iterable[Any]", queryset.query.order_by)
    terms = [term for named in order for term in _terms(queryset.model, named)]
    if F("pk") not in [term.expression for term in terms]:
        terms.append(OrderBy(F("pk"), descending=True))
    keys = {f"_key_{place}": term for place, term in enumerate(terms)}
    ordered = queryset.annotate(**{name: term.expression for name, term in keys.items()}).order_by(*terms)
    page = list(ordered[:size])
    while page:
        yield page
        page = list(ordered.filter(_behind(page[-1], keys, queryset.db))[:size]) if len(page) == size else []


def _terms(model: type[Model], named: Any) -> list[OrderBy]:
    """Return the columns that a term of the order stands for: a relation is ordered like its related model."""
    if isinstance(named, OrderBy):
        return [named]
    path, descending = named.removeprefix("-"), named.startswith("-")
    if (related := _related(model, path)) is None:
        return [OrderBy(F("pk" if path == model._meta.pk.name else path), descending=descending)]
    inner = cast("Sequence[str]", related._meta.ordering or ("pk",))
    return [
        term
        for name in inner
        for term in _terms(model, _signed(f"{path}__{name.removeprefix('-')}", descending != name.startswith("-")))
    ]


def _signed(path: str, descending: bool) -> str:
    return f"-{path}" if descending else path


def _related(model: type[Model], path: str) -> type[Model] | None:
    """Return the related model if a path of names ends at a relation, else None."""
    found: type[Model] | None = None
    for name in path.split("__"):
        try:
            field = model._meta.get_field(name)
        except FieldDoesNotExist:
            return None
        is_relation = isinstance(field.related_model, type) and getattr(field, "attname", name) != name
        found = field.related_model if is_relation else None
        model = found or model
    return found


def _behind(row: Any, keys: dict[str, OrderBy], using: str) -> Q:
    """Return the condition for rows after `row`: equal to it in the first keys, and beyond it in the next one."""
    found, equal = Q(pk__in=()), Q()
    for name, term in keys.items():
        found |= equal & _beyond(name, term, getattr(row, name), using)
        equal &= _same(name, getattr(row, name))
    first, term = next(iter(keys.items()))
    if len(keys) == 1 or getattr(row, first) is None:
        return found
    # Repeat the condition for the first key alone, so that the database can use its index.
    value = getattr(row, first)
    return found & (_same(first, value) | _beyond(first, term, value, using))


def _same(name: str, value: Any) -> Q:
    return Q(**{f"{name}__isnull": True}) if value is None else Q(**{name: value})


def _beyond(name: str, term: OrderBy, value: Any, using: str) -> Q:
    nulls_are_last = _nulls_are_last(term, using)
    if value is None:
        return Q(pk__in=()) if nulls_are_last else Q(**{f"{name}__isnull": False})
    beyond = Q(**{f"{name}__{'lt' if term.descending else 'gt'}": value})
    return beyond | Q(**{f"{name}__isnull": True}) if nulls_are_last else beyond


def _nulls_are_last(term: OrderBy, using: str) -> bool:
    if term.nulls_last or term.nulls_first:
        return bool(term.nulls_last)
    smallest: bool = connections[using].features.order_by_nulls_first
    return smallest == bool(term.descending)
