"""Large columns, read in batches that are bounded in bytes as well as in rows.

A thousand rows are nothing while each holds a kilobyte, and a gigabyte when each holds one that somebody sent. The
keys and sizes are read first, which costs no column, and then as many rows as fit. One row always does.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db.models import F, Func, IntegerField, QuerySet

from partner_portal.core.many_values import any_key

# As they stand in the database. Parsed they may be thirty times as large.
MAX_BYTES = 4 * 1024 * 1024


class OctetLength(Func):
    """The bytes of a text as it is stored; PostgreSQL knows them without reading it."""

    function = "OCTET_LENGTH"
    output_field = IntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template="LENGTH(CAST(%(expressions)s AS BLOB))", **context)


def size_of(column: str) -> OctetLength:
    """For annotations: how many bytes stand in `column`."""
    return OctetLength(F(column))


def first_keys(rows: QuerySet[Any], column: str, most: int, max_bytes: int | None = None) -> list[Any]:
    """The keys of the first of these rows, in their order: `most` of them, or as many as hold MAX_BYTES in `column`.

    Locks them where the query does: in one transaction they are as they were when they are read.
    """
    sizes = rows.values_list("pk", size_of(column))[:most]
    return next(_split(sizes, max_bytes or MAX_BYTES), [])


def portions(rows: QuerySet[Any], column: str, keys: Sequence[int]) -> Iterator[list[int]]:
    """The keys in their order, in portions of at most MAX_BYTES in `column`; the sizes are one query."""
    sizes = dict(rows.filter(pk__in=any_key(keys)).values_list("pk", size_of(column))) if keys else {}
    return _split(((key, sizes.get(key)) for key in keys), MAX_BYTES)


def count_that_fit(sizes: Iterable[int | None]) -> int:
    """How many from the front have at most MAX_BYTES together; at least one, where there are any."""
    return len(next(_split(((None, size) for size in sizes), MAX_BYTES), []))


def _split(sizes: Iterable[tuple[Any, int | None]], max_bytes: int) -> Iterator[list[Any]]:
    portion: list[Any] = []
    held = 0
    for key, size in sizes:
        if portion and held + (size or 0) > max_bytes:
            yield portion
            portion, held = [], 0
        portion.append(key)
        held += size or 0
    if portion:
        yield portion
