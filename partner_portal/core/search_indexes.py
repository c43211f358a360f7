"""Indexes for prefix searches and lists of numbers, on PostgreSQL only: on SQLite lists are small."""

from collections.abc import Callable
from typing import Any

from django.db import migrations
from django.db.migrations.operations.base import Operation

Make = Callable[[Any, Any], None]


def prefix_index(name: str, table: str, column: str, *, any_case: bool) -> migrations.RunPython:
    """Return a migration operation for the index of `startswith`, or of `istartswith` with `any_case`."""
    expression = f'UPPER("{column}"::text)' if any_case else f'("{column}"::text)'

    def on_postgresql(sql: str) -> Make:
        def run(_apps: Any, schema_editor: Any) -> None:
            if schema_editor.connection.vendor == "postgresql":
                schema_editor.execute(sql)

        return run

    return migrations.RunPython(
        on_postgresql(f'CREATE INDEX IF NOT EXISTS "{name}" ON "{table}" ({expression} text_pattern_ops)'),
        on_postgresql(f'DROP INDEX IF EXISTS "{name}"'),
    )


class SearchIndexLive(Operation):
    """Create an index for PostgreSQL only, while the table is in use. The migration needs `atomic = False`.

    `over` is the text after the table's name in CREATE INDEX.
    """

    reversible = True

    def __init__(self, name: str, table: str, over: str) -> None:
        self.name, self.table, self.over = name, table, over

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Leave the model's state unchanged: the model does not name the index."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        # An interrupted run leaves an invalid index, which must be dropped first.
        self.database_backwards(app_label, schema_editor, from_state, to_state)
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f'CREATE INDEX CONCURRENTLY "{self.name}" ON "{self.table}" {self.over}')

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f'DROP INDEX CONCURRENTLY IF EXISTS "{self.name}"')

    def describe(self) -> str:
        return f"Make the index {self.name}"


def prefix_index_live(name: str, table: str, column: str) -> SearchIndexLive:
    """Return the operation for the index of Django's `istartswith`, for a table that is in use."""
    return SearchIndexLive(name, table, f'(UPPER("{column}"::text) text_pattern_ops)')


def phone_index(name: str, table: str) -> SearchIndexLive:
    """Return the operation for the index of `phone_search.ends_like`."""
    digits = "REGEXP_REPLACE(\"phone\", '[^0-9]', '', 'g')"
    return SearchIndexLive(name, table, f"((REVERSE({digits})::text) text_pattern_ops)")


def numbers_index(name: str, table: str, column: str, where: str) -> SearchIndexLive:
    """Return the operation for the index of `number_lists.holds_number`."""
    return SearchIndexLive(name, table, f'USING gin ("{column}" jsonb_path_ops) WHERE {where}')
