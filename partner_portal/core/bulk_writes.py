"""Bulk writes: storing rows so that one bad row does not spoil the others, and updating columns fast."""

import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import structlog
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Model

log = structlog.get_logger(__name__)

Row = TypeVar("Row")


def store_each(rows: Sequence[Row], store: Callable[[Sequence[Row]], object]) -> int:
    """Store all `rows` at once; if that fails, store them in halves until each bad row is alone and is left out.

    Returns how many were stored. Raises OperationalError or InterfaceError when the database is away.
    """
    if not rows:
        return 0
    try:
        with transaction.atomic():
            store(rows)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        if len(rows) == 1:
            log.exception("bulk_row_skipped", row=type(rows[0]).__name__, error=type(error).__name__)
            return 0
    else:
        return len(rows)
    middle = len(rows) // 2
    return store_each(rows[:middle], store) + store_each(rows[middle:], store)


def update_columns(rows: Sequence[Model], names: Sequence[str]) -> None:
    """Write the columns `names` of stored rows of one model: texts, numbers, booleans or date-times.

    PostgreSQL gets all values as one JSON parameter and expands it itself. `bulk_update` builds a CASE for each row
    and column, which takes seven times as long as the update (`python -m bench reconcile`).
    """
    if not rows:
        return
    model = type(rows[0])
    if connection.vendor != "postgresql":
        model._default_manager.bulk_update(rows, names, batch_size=200)
        return
    fields: list[Any] = [model._meta.get_field(name) for name in names]
    payload = [{field.column: field.value_from_object(row) for field in fields} | {"pk": row.pk} for row in rows]
    quote = connection.ops.quote_name
    table, key = quote(model._meta.db_table), quote(str(model._meta.pk and model._meta.pk.column))
    columns = ", ".join(f"{quote(field.column)} = new.{quote(field.column)}" for field in fields)
    types = ", ".join(f"{quote(field.column)} {field.db_type(connection)}" for field in fields)
    statement = (
        f"UPDATE {table} SET {columns} FROM json_to_recordset(%s::json) AS new(pk bigint, {types}) "  # noqa: S608
        f"WHERE {table}.{key} = new.pk"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [json.dumps(payload, default=str)])
