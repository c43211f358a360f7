"""Work that each process of the suite does once instead of in each test, with the same outcome.

- WhiteNoise lists the static files whenever a test client is made, and looks at 180 files each time.
- Django empties all tables after a transactional test and makes every permission and group anew. Here only tables
  with rows are emptied; permissions and groups stay, unless the test changed them.
"""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.test import TransactionTestCase
from whitenoise.middleware import WhiteNoiseMiddleware

# What `migrate` fills, each with what the rows refer to before it.
MADE_BY_MIGRATE = ("django_content_type", "auth_permission", "auth_group", "auth_group_permissions")
ORDERED = {table: f"SELECT * FROM {table} ORDER BY id" for table in MADE_BY_MIGRATE}

_list_static_files = WhiteNoiseMiddleware.add_files_from_finders
_flush: Callable[[TransactionTestCase], None] = vars(TransactionTestCase)["_fixture_teardown"]
_listed: dict[str, dict[str, Any]] = {}
_after_migrate: list[dict[str, list[Any]]] = []


def list_static_files_once(middleware: Any) -> None:
    """Give `middleware` the files of the first one with the same settings."""
    known = repr((settings.STORAGES, settings.STATIC_URL, settings.STATICFILES_DIRS, middleware.max_age))
    if known not in _listed:
        collected, middleware.files = middleware.files, {}
        _list_static_files(middleware)
        _listed[known], middleware.files = middleware.files, collected
    middleware.files.update(_listed[known])


@cache
def _other_tables() -> tuple[str, ...]:
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    return tuple(sorted(set(tables) - set(MADE_BY_MIGRATE)))


def _made_by_migrate(cursor: CursorWrapper) -> dict[str, list[Any]]:
    found = {}
    for table, query in ORDERED.items():
        cursor.execute(query)
        found[table] = cursor.fetchall()
    return found


def _empty_filled_tables(cursor: CursorWrapper) -> None:
    """Empty the tables in any order: references are checked when the transaction ends."""
    tables = _other_tables()
    cursor.execute("SELECT " + ", ".join(f"EXISTS(SELECT 1 FROM {table})" for table in tables))
    for table, is_filled in zip(tables, cursor.fetchone(), strict=True):
        if is_filled:
            cursor.execute(f"DELETE FROM {table}")


def empty_what_is_filled(test_case: TransactionTestCase) -> None:
    """Leave the database as Django's own flush would, which runs first and after a test changed permissions."""
    with transaction.atomic(), connection.cursor() as cursor:
        is_unchanged = bool(_after_migrate) and _made_by_migrate(cursor) == _after_migrate[0]
        if is_unchanged:
            _empty_filled_tables(cursor)
    if not is_unchanged:
        _flush(test_case)
        with connection.cursor() as cursor:
            _after_migrate[:] = [_made_by_migrate(cursor)]


@pytest.fixture(scope="session", autouse=True)
def once() -> Iterator[None]:
    """Install both shortcuts for every test of the process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WhiteNoiseMiddleware, "add_files_from_finders", list_static_files_once)
        patch.setattr(TransactionTestCase, "_fixture_teardown", empty_what_is_filled)
        yield
