"""One query, compiled once: on the hot addresses building it costs several times as much as the database.

Measured with `python -m bench web`, like `fast_insert.py`.
"""

from collections.abc import Callable
from functools import cached_property
from typing import Any

from django.db import connection
from django.db.models import QuerySet

# They stand where the values will stand; no row has such a key.
_PLACES = tuple(-(2**62) - number for number in range(9))


class Query:
    """The first row of `build(…)`, a query of `values_list`: `Query(2, lambda application, location: …)(1, 7)`.

    It takes `count` whole numbers. What comes is as the database's driver gives it.
    """

    def __init__(self, count: int, build: Callable[..., QuerySet[Any, Any]]) -> None:
        self._places = _PLACES[:count]
        self._build = build

    @cached_property
    def _compiled(self) -> tuple[str, tuple[Any, ...]]:
        return self._build(*self._places)[:1].query.sql_with_params()

    def statement(self, *numbers: int) -> tuple[str, list[Any]]:
        """The query as text and its parameters, for a statement that it is a part of."""
        sql, parameters = self._compiled
        given = dict(zip(self._places, numbers, strict=True))
        return sql, [given.get(parameter, parameter) for parameter in parameters]

    def __call__(self, *numbers: int) -> tuple[Any, ...] | None:
        with connection.cursor() as cursor:
            cursor.execute(*self.statement(*numbers))
            row: tuple[Any, ...] | None = cursor.fetchone()
        return row
