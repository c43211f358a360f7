"""INSERT statements that are built once: on busy endpoints the ORM takes as much time as the database.

Measured with `python -m bench web`: `Model.save()` and `bulk_create` build the same statement anew for every row.
"""

from collections.abc import Callable, Sequence
from functools import cache, cached_property
from operator import attrgetter
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model
from django.db.models.expressions import DatabaseDefault
from django.db.models.signals import post_save

from partner_portal.core.prepared import execute, fetch_all

# For more rows the time to build a statement does not matter.
MAX_ROWS = 20
PLAIN = {
    *(models.CharField, models.TextField, models.EmailField, models.URLField, models.BooleanField),
    *(models.BigIntegerField, models.IntegerField, models.PositiveIntegerField, models.PositiveSmallIntegerField),
    *(models.DateTimeField, models.ForeignKey),
}


class Insert:
    """An INSERT of one row of `model`: `Insert(Event, "body", "received_at")(body, now)`.

    Every other column must have its value in `fixed` or be nullable.
    """

    def __init__(self, model: type[Model], *fields: str, **fixed: object) -> None:
        self._model = model
        self._given = fields
        self._fixed = fixed

    def _field(self, name: str) -> Any:
        return self._model._meta.get_field(name)

    @cached_property
    def _adapters(self) -> list[Callable[[object, BaseDatabaseWrapper], Any]]:
        return [self._field(name).get_db_prep_save for name in self._given]

    @cached_property
    def _constants(self) -> list[Any]:
        return [self._field(name).get_db_prep_save(value, connection) for name, value in self._fixed.items()]

    @cached_property
    def _statement(self) -> str:
        return _insert(self._model, [self._field(name) for name in (*self._given, *self._fixed)])

    def __call__(self, *values: Any) -> None:
        """Insert one row. Raises what the database raises."""
        if connection.vendor != "postgresql":
            # Only PostgreSQL's driver takes Python values without conversion.
            values = tuple(adapt(value, connection) for adapt, value in zip(self._adapters, values, strict=True))
        execute(self._statement, (*values, *self._constants))


def insert(rows: Sequence[Model], *, ignore_conflicts: bool = False) -> None:
    """Store new rows of one model as `bulk_create` does; up to MAX_ROWS rows use one statement that is built once.

    With `ignore_conflicts` existing rows stay as they are; if there is one, no row gets its key.
    """
    if not rows:
        return
    model = type(rows[0])
    if len(rows) > MAX_ROWS:
        model._default_manager.bulk_create(rows, batch_size=500, ignore_conflicts=ignore_conflicts)
        return
    columns = _columns(model)
    values = [value for row in rows for value in columns.of(row)]
    keys = fetch_all(_statement(model, len(rows), ignore_conflicts), values)
    if len(keys) < len(rows):
        return
    for row, (key,) in zip(rows, keys, strict=True):
        row.pk = key
        state = row._state  # noqa: SLF001 - as Django marks what it has stored
        state.adding, state.db = False, connection.alias


def create(row: Model, *, ignore_conflicts: bool = False) -> bool:
    """Store one new row and send `post_save`. Return False if the row exists already (`ignore_conflicts`)."""
    insert([row], ignore_conflicts=ignore_conflicts)
    if row.pk is None:
        return False
    details = {"created": True, "raw": False, "using": connection.alias, "update_fields": None}
    post_save.send(sender=type(row), instance=row, **details)
    return True


class _Columns:
    """All columns of a model except the key, which the database assigns."""

    def __init__(self, model: type[Model]) -> None:
        self.fields = [field for field in model._meta.local_concrete_fields if not field.primary_key]
        self._values = attrgetter(*(field.attname for field in self.fields))
        self._adapted = [(index, field) for index, field in enumerate(self.fields) if not _is_stored_as_it_is(field)]

    def of(self, row: Model) -> list[Any]:
        """Return the row's values in the form that the database takes."""
        # With a single column `attrgetter` would return no tuple; no model has only one besides its key.
        values, line = list(self._values(row)), connections[DEFAULT_DB_ALIAS]
        for index, field in self._adapted:
            value = field.pre_save(row, add=True)
            if isinstance(value, DatabaseDefault):
                value = field.db_default
                setattr(row, field.attname, value)
            values[index] = field.get_db_prep_save(value, line)
        return values


def _is_stored_as_it_is(field: Any) -> bool:
    """Return whether the column's Python value can be stored without conversion.

    PostgreSQL's driver takes plain values; `auto_now` and database defaults must be set first.
    """
    is_set_here = any(getattr(field, name, False) for name in ("auto_now", "auto_now_add"))
    may_be_set_there = field.has_db_default() and not field.has_default()
    return connection.vendor == "postgresql" and type(field) in PLAIN and not (is_set_here or may_be_set_there)


_columns = cache(_Columns)


@cache
def _statement(model: type[Model], count: int, ignore_conflicts: bool) -> str:
    """Return the statement that stores `count` rows and returns the keys of those that are new."""
    ignoring = " ON CONFLICT DO NOTHING" if ignore_conflicts else ""
    key = connection.ops.quote_name(str(model._meta.pk and model._meta.pk.column))
    return f"{_insert(model, _columns(model).fields, count)}{ignoring} RETURNING {key}"


def _insert(model: type[Model], fields: Sequence[Any], count: int = 1) -> str:
    quote = connection.ops.quote_name
    columns = ", ".join(quote(field.column) for field in fields)
    row = f"({', '.join(['%s'] * len(fields))})"
    return f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES {', '.join([row] * count)}"  # noqa: S608
