"""Indexes for searches by how a text begins. PostgreSQL needs its own for them; on SQLite lists are small."""

from collections.abc import Callable
from typing import Any

from django.db import migrations
from django.db.migrations.operations.base import Operation

Make = Callable[[Any, Any], None]


def prefix_index(name: str, table: str, column: str, *, any_case: bool) -> migrations.RunPython:
    """A migration's step: the index that Django's `startswith` (or `istartswith`, for `any_case`) uses."""
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
    """Make an index that a model cannot name on SQLite, while the table is used. Needs `atomic = False`.

    `over` is what stands behind the table in CREATE INDEX.
    """

    reversible = True

    def __init__(self, name: str, table: str, over: str) -> None:
        self.name, self.table, self.over = name, table, over

    def state_forwards(self, app_label: str, state: Any) -> None:
        """The model does not name it."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        # What a broken run left is not valid, and would stay so.
        self.database_backwards(app_label, schema_editor, from_state, to_state)
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f'CREATE INDEX CONCURRENTLY "{self.name}" ON "{self.table}" {self.over}')

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f'DROP INDEX CONCURRENTLY IF EXISTS "{self.name}"')

    def describe(self) -> str:
        return f"Make the index {self.name}"


def prefix_index_live(name: str, table: str, column: str) -> SearchIndexLive:
    """The index that Django's `istartswith` uses, for a table that is in use."""
    return SearchIndexLive(name, table, f'(UPPER("{column}"::text) text_pattern_ops)')


def phone_index(name: str, table: str) -> SearchIndexLive:
    """The index of `phone_search.ends_like`."""
    digits = "REGEXP_REPLACE(\"phone\", '[^0-9]', '', 'g')"
    return SearchIndexLive(name, table, f"((REVERSE({digits})::text) text_pattern_ops)")


def numbers_index(name: str, table: str, column: str, where: str) -> SearchIndexLive:
    """The index of `number_lists.holds_number`."""
    return SearchIndexLive(name, table, f'USING gin ("{column}" jsonb_path_ops) WHERE {where}')
