"""Statements that PostgreSQL parses and plans once for each line: for the hot ones that costs more than the work.

Django's driver writes the values into the text, so that each time it is another statement; here they go beside it.
psycopg prepares what has come a few times (`prepare_threshold` in the settings). A plan then holds for any values: a
statement that needs an index whose condition one of its values fulfils is none for here.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, NotSupportedError, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from psycopg import Cursor

# Statements with more are rare and each of another length; PostgreSQL itself takes 65,535 beside a statement.
MAX_VALUES = 500
Row = tuple[Any, ...]
Result = TypeVar("Result")


def fetch_all(statement: str, values: Sequence[Any]) -> list[Row]:
    """Run a statement that gives rows. Returns all of them."""
    return _run(statement, values, lambda cursor: cursor.fetchall())


def execute(statement: str, values: Sequence[Any]) -> None:
    """Run a statement that gives none."""
    _run(statement, values, lambda _cursor: None)


def _run(statement: str, values: Sequence[Any], read: Callable[[CursorWrapper], Result]) -> Result:
    line = connections[DEFAULT_DB_ALIAS]
    try:
        return _run_once(line, statement, values, read)
    except NotSupportedError as error:
        # A migration has given a column another type, and PostgreSQL refuses to plan the same statement for it.
        if line.in_atomic_block:
            # With the rollback that follows psycopg forgets what it has prepared.
            raise OperationalError("The tables have changed: do the same again.") from error
        line.close()
        return _run_once(line, statement, values, read)


def _run_once(
    line: BaseDatabaseWrapper, statement: str, values: Sequence[Any], read: Callable[[CursorWrapper], Result]
) -> Result:
    is_postgresql = line.vendor == "postgresql"
    with _cursor(line) if is_postgresql and len(values) <= MAX_VALUES else line.cursor() as cursor:
        cursor.execute(statement, values)
        return read(cursor)


def _cursor(line: BaseDatabaseWrapper) -> CursorWrapper:
    line.ensure_connection()
    make = line.make_debug_cursor if line.queries_logged else line.make_cursor
    return make(Cursor(line.connection))  # type: ignore[arg-type]  # the stubs want one that is wrapped already
