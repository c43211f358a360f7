"""One INSERT, written once: on the hot addresses the ORM costs as much as the database.

Measured with `python -m bench web`: `Model.save()` builds the same statement anew for every row.
"""

from collections.abc import Callable
from functools import cached_property
from typing import Any

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model


class Insert:
    """Inserts rows of `model`: `Insert(Event, "body", "received_at")(body, now)`.

    Every other column must have its value in `fixed`, or may be NULL.
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
        quote, names = connection.ops.quote_name, (*self._given, *self._fixed)
        columns = ", ".join(quote(self._field(name).column) for name in names)
        places = ", ".join(["%s"] * len(names))
        return f"INSERT INTO {quote(self._model._meta.db_table)} ({columns}) VALUES ({places})"  # noqa: S608

    def __call__(self, *values: Any) -> None:
        """Insert one row. Raises what the database raises."""
        if connection.vendor != "postgresql":
            # PostgreSQL's driver takes Python's own values.
            values = tuple(adapt(value, connection) for adapt, value in zip(self._adapters, values, strict=True))
        with connection.cursor() as cursor:
            cursor.execute(self._statement, (*values, *self._constants))
