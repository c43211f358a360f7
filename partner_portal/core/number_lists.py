"""Search for a number in a JSON column with a list of numbers."""

from typing import Any

from django.db.models import BooleanField, F, Func, Q, Value


class _Holds(Func):
    output_field = BooleanField()

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        listed, listed_params = compiler.compile(self.source_expressions[0])
        number, number_params = compiler.compile(self.source_expressions[1])
        # The SQL contains only column names and parameter placeholders.
        sql = f"EXISTS (SELECT 1 FROM json_each({listed}) WHERE value = CAST({number} AS INTEGER))"  # noqa: S608
        return sql, (*listed_params, *number_params)

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        listed, listed_params = compiler.compile(self.source_expressions[0])
        number, number_params = compiler.compile(self.source_expressions[1])
        return f"({listed} @> ({number})::jsonb)", (*listed_params, *number_params)


def holds_number(column: str, number: int) -> Q:
    """Return the condition that the list in `column` contains the number; PostgreSQL uses `numbers_index` for it."""
    return Q(_Holds(F(column), Value(str(number))))
