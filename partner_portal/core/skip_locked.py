"""Rows that one worker takes while the others take other ones."""

from typing import TypeVar

from django.db import connection
from django.db.models import Model, QuerySet

Row = TypeVar("Row", bound=Model)


def skip_locked(rows: QuerySet[Row], *, no_key: bool = False) -> QuerySet[Row]:
    """Lock `rows` as they are read, without those that another transaction has locked.

    `no_key` lets other rows refer to them meanwhile. SQLite locks no rows: it lets one transaction write at a time.
    """
    if connection.features.has_select_for_update_skip_locked:
        return rows.select_for_update(skip_locked=True, of=("self",), no_key=no_key)
    return rows
