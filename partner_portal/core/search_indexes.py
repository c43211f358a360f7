"""Indexes for searches by how a text begins. PostgreSQL needs its own for them; on SQLite lists are small."""

from collections.abc import Callable
from typing import Any

from django.db import migrations

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
