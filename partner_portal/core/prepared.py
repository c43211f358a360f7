"""Prepared statements: PostgreSQL parses and plans them once for each connection.

For frequent statements, parsing and planning take longer than the work itself. Django's cursor writes the values into
the SQL, which makes each run another statement; here they are sent separately. psycopg prepares a statement after a
few runs (`prepare_threshold` in the settings). The plan is then used for any values, so this is wrong for a statement
that needs a partial index whose condition depends on one of its values.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, NotSupportedError, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from psycopg import Cursor

# Statements with more values are rare and differ in length. PostgreSQL's own limit is 65,535 parameters.
MAX_VALUES = 500
Row = tuple[Any, ...]
Result = TypeVar("Result")


def fetch_all(statement: str, values: Sequence[Any]) -> list[Row]:
    """Run a statement and return all its rows."""
    return _run(statement, values, lambda cursor: cursor.fetchall())


def execute(statement: str, values: Sequence[Any]) -> None:
    """Run a statement that returns no rows."""
    _run(statement, values, lambda _cursor: None)


def _run(statement: str, values: Sequence[Any], read: Callable[[CursorWrapper], Result]) -> Result:
    line = connections[DEFAULT_DB_ALIAS]
    try:
        return _run_once(line, statement, values, read)
    except NotSupportedError as error:
        # A migration has changed a column's type, and PostgreSQL refuses to run the prepared statement with it.
        if line.in_atomic_block:
            # The rollback that follows makes psycopg drop its prepared statements.
            raise OperationalError("The schema has changed: retry.") from error
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
