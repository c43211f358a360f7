"""Queries that are compiled once: on busy endpoints building a query takes several times as long as running it.

The query is still written with the ORM: `build` makes the queryset from its values, once for each number and type of
values. Later calls only put their values in the places of the first ones. Measured with `python -m bench web`, like
`fast_insert.py`.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import Model, QuerySet
from django.db.models.query import get_related_populators
from django.db.transaction import TransactionManagementError

from partner_portal.core.prepared import fetch_all

M = TypeVar("M", bound=Model)
Value = int | str
# Queries with more values are rare and slow anyway, so they are compiled each time.
MAX_VALUES = 20


def _place(index: int, value: Value) -> Value:
    """Return a placeholder of the value's type that no real key or text equals."""
    return f"\uffff{index}\uffff" if isinstance(value, str) else -(2**62) - index


class _Statement:
    """A compiled query and the positions of its values."""

    def __init__(self, queryset: QuerySet[Any, Any], places: Sequence[Value]) -> None:
        self.compiler = queryset.query.get_compiler(DEFAULT_DB_ALIAS)
        self._sql, parameters = self.compiler.as_sql()
        self.locks = queryset.query.select_for_update
        index_of = {place: index for index, place in enumerate(places)}
        # For each parameter a constant, or the index of the value that takes its place.
        self._parameters = [
            (None, index_of[each]) if isinstance(each, int | str) and each in index_of else (each, None)
            for each in parameters
        ]
        if missing := set(index_of.values()) - {index for _each, index in self._parameters}:
            raise ValueError(
                f"{len(missing)} values are transformed by this query and cannot be bound later: {self._sql}"
            )

    def with_values(self, values: Sequence[Value]) -> tuple[str, list[Any]]:
        """Return the SQL and its parameters."""
        return self._sql, [each if index is None else values[index] for each, index in self._parameters]

    @cached_property
    def _reader(self) -> tuple[type[Model], list[str], slice, list[Any], dict[int, Any], dict[str, int]]:
        select, info = self.compiler.select, self.compiler.klass_info
        fields = info["select_fields"]
        own = slice(fields[0], fields[-1] + 1)
        names = [column[0].target.attname for column in select[own]]
        related = get_related_populators(info, select, DEFAULT_DB_ALIAS)  # type: ignore[call-arg]  # of Django 6
        converters = self.compiler.get_converters([column[0] for column in select])
        return info["model"], names, own, related, converters, self.compiler.annotation_col_map or {}

    def read(self, rows: Iterable[Sequence[Any]]) -> list[Any]:
        """Return model instances for the rows, as a queryset makes them."""
        model, names, own, related, converters, annotations = self._reader
        if converters:
            rows = self.compiler.apply_converters(rows, converters)
        found = []
        for row in rows:
            instance = model.from_db(DEFAULT_DB_ALIAS, names, row[own])
            for populator in related:
                populator.populate(row, instance)
            for name, column in annotations.items():
                setattr(instance, name, row[column])
            found.append(instance)
        return found


class _Compiled:
    """The statements of one `build`, by the number and types of their values."""

    def __init__(self, build: Callable[..., QuerySet[Any, Any]]) -> None:
        self._build = build
        self._statements: dict[tuple[type, ...], _Statement] = {}

    def _statement(self, values: Sequence[Value]) -> _Statement:
        kinds = tuple(map(type, values))
        statement = self._statements.get(kinds)
        if statement is None:
            places = [_place(index, value) for index, value in enumerate(values)]
            statement = _Statement(self._build(*places), places)
            if len(values) <= MAX_VALUES:
                self._statements[kinds] = statement
        return statement


class Query(_Compiled):
    """A compiled `values_list` query that returns its first row: `Query(lambda application, location: …)(1, 7)`.

    It takes whole numbers and texts. The row is as the database driver returns it. Without `prepare` PostgreSQL plans
    the statement at each run (`prepared.py`).
    """

    def __init__(self, build: Callable[..., QuerySet[Any, Any]], *, prepare: bool = True) -> None:
        super().__init__(build)
        self._prepare = prepare

    def statement(self, *values: Value) -> tuple[str, list[Any]]:
        """Return the SQL and its parameters, for use as a part of another statement."""
        return self._statement(values).with_values(values)

    def __call__(self, *values: Value) -> tuple[Any, ...] | None:
        return next(iter(self.all(*values)), None)

    def all(self, *values: Value) -> list[tuple[Any, ...]]:
        """Return all rows."""
        if self._prepare:
            return fetch_all(*self.statement(*values))
        with connection.cursor() as cursor:
            cursor.execute(*self.statement(*values))
            rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


class Rows(_Compiled, Generic[M]):
    """A compiled query of model instances: `Rows(lambda prefix: ApiKey.objects.filter(prefix=prefix))("x")`.

    It takes whole numbers and texts, and returns all rows. `select_related`, `only` and locks work;
    `prefetch_related` does not.
    """

    def __init__(self, build: Callable[..., QuerySet[M]]) -> None:
        super().__init__(build)

    def __call__(self, *values: Value) -> list[M]:
        statement = self._statement(values)
        if statement.locks and not connection.in_atomic_block:
            raise TransactionManagementError("This query locks rows and needs a transaction.")
        return statement.read(fetch_all(*statement.with_values(values)))
