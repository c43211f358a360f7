"""One INSERT, written once: on the hot addresses the ORM costs as much as the database.

Measured with `bench/callbacks.py`: `Model.save()` builds the same statement anew for every row.
"""

from collections.abc import Sequence
from functools import cached_property

from django.db import connection
from django.db.models import Model


class Insert:
    """Inserts rows of `model`: `Insert(Event, "body", "received_at")(body, now)`.

    Every other column must have its value in `fixed`, or may be NULL.
    """

    def __init__(self, model: type[Model], *fields: str, **fixed: object) -> None:
        self._model = model
        self._names = (*fields, *fixed)
        self._fixed = tuple(fixed.values())

    @cached_property
    def _columns(self) -> Sequence[object]:
        return [self._model._meta.get_field(name) for name in self._names]

    @cached_property
    def _statement(self) -> str:
        quote = connection.ops.quote_name
        columns = ", ".join(quote(field.column) for field in self._columns)  # type: ignore[attr-defined]
        places = ", ".join(["%s"] * len(self._columns))
        return f"INSERT INTO {quote(self._model._meta.db_table)} ({columns}) VALUES ({places})"  # noqa: S608

    def __call__(self, *values: object) -> None:
        """Insert one row. Raises what the database raises."""
        row = [
            field.get_db_prep_save(value, connection)  # type: ignore[attr-defined]
            for field, value in zip(self._columns, (*values, *self._fixed), strict=True)
        ]
        with connection.cursor() as cursor:
            cursor.execute(self._statement, row)
