"""Queries that are compiled once: on the hot addresses building one costs several times as much as the database.

The rule stays where it is written, in the ORM: `build` makes the queryset from what it is asked for, once for each
number and kind of values, and from then on the values alone are put in their places. Measured with
`python -m bench web`, like `fast_insert.py`.
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
# More values than these are rare, and dear in any case: they are compiled anew.
MAX_VALUES = 20


def _place(index: int, value: Value) -> Value:
    """Return what stands where a value will stand; no row has such a key, nor such a text."""
    return f"\uffff{index}\uffff" if isinstance(value, str) else -(2**62) - index


class _Statement:
    """A compiled query and the places of its values."""

    def __init__(self, queryset: QuerySet[Any, Any], places: Sequence[Value]) -> None:
        self.compiler = queryset.query.get_compiler(DEFAULT_DB_ALIAS)
        self._sql, parameters = self.compiler.as_sql()
        self.locks = queryset.query.select_for_update
        index_of = {place: index for index, place in enumerate(places)}
        # Each parameter as it is, or the index of the value that stands there.
        self._parameters = [
            (None, index_of[each]) if isinstance(each, int | str) and each in index_of else (each, None)
            for each in parameters
        ]
        if missing := set(index_of.values()) - {index for _each, index in self._parameters}:
            raise ValueError(f"{len(missing)} values do not stand in this query as they are: {self._sql}")

    def with_values(self, values: Sequence[Value]) -> tuple[str, list[Any]]:
        """The query as text, and its parameters."""
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
        """Instances, as a queryset makes them of its rows."""
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
    """The statements of one `build`, by how many values of which kind they take."""

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
    """The first row of `build(…)`, a query of `values_list`: `Query(lambda application, location: …)(1, 7)`.

    It takes whole numbers and texts. What comes is as the database's driver gives it. Without `prepare` PostgreSQL
    plans it anew each time (`prepared.py`).
    """

    def __init__(self, build: Callable[..., QuerySet[Any, Any]], *, prepare: bool = True) -> None:
        super().__init__(build)
        self._prepare = prepare

    def statement(self, *values: Value) -> tuple[str, list[Any]]:
        """The query as text and its parameters, for a statement that it is a part of."""
        return self._statement(values).with_values(values)

    def __call__(self, *values: Value) -> tuple[Any, ...] | None:
        return next(iter(self.all(*values)), None)

    def all(self, *values: Value) -> list[tuple[Any, ...]]:
        """All of its rows."""
        if self._prepare:
            return fetch_all(*self.statement(*values))
        with connection.cursor() as cursor:
            cursor.execute(*self.statement(*values))
            rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


class Rows(_Compiled, Generic[M]):
    """All rows of `build(…)`, a query of models: `Rows(lambda prefix: ApiKey.objects.filter(prefix=prefix))("x")`.

    It takes whole numbers and texts. What it selects along (`select_related`, `only`) and locks is as it says; what
    it fetches afterwards (`prefetch_related`) is not fetched.
    """

    def __init__(self, build: Callable[..., QuerySet[M]]) -> None:
        super().__init__(build)

    def __call__(self, *values: Value) -> list[M]:
        statement = self._statement(values)
        if statement.locks and not connection.in_atomic_block:
            raise TransactionManagementError("Rows are locked in a transaction alone.")
        return statement.read(fetch_all(*statement.with_values(values)))
