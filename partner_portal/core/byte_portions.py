"""Reading of large columns in batches that are limited in bytes as well as in rows.

A thousand rows of a kilobyte are small, but a thousand rows of a megabyte that somebody sent are a gigabyte. Keys and
sizes are read first, without the column itself, and then as many rows as fit; always at least one.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db.models import F, Func, IntegerField, QuerySet

from partner_portal.core.many_values import any_key

# Measured as stored in the database. Parsed values may take thirty times as much.
MAX_BYTES = 4 * 1024 * 1024


class OctetLength(Func):
    """The size of a stored text in bytes; PostgreSQL knows it without reading the text."""

    function = "OCTET_LENGTH"
    output_field = IntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template="LENGTH(CAST(%(expressions)s AS BLOB))", **context)


def size_of(column: str) -> OctetLength:
    """Return an annotation: the size of `column` in bytes."""
    return OctetLength(F(column))


def first_keys(rows: QuerySet[Any], column: str, most: int, max_bytes: int | None = None) -> list[Any]:
    """Return the keys of the first rows in order: at most `most`, and as many as fit MAX_BYTES in `column`.

    At least one key is returned if there are rows. `max_bytes` replaces MAX_BYTES. A locking query locks the rows, so
    they cannot change before the same transaction reads them.
    """
    sizes = rows.values_list("pk", size_of(column))[:most]
    return next(_split(sizes, max_bytes or MAX_BYTES), [])


def portions(rows: QuerySet[Any], column: str, keys: Sequence[int]) -> Iterator[list[int]]:
    """Return the keys in order, in portions of at most MAX_BYTES in `column`; the sizes take one query."""
    sizes = dict(rows.filter(pk__in=any_key(keys)).values_list("pk", size_of(column))) if keys else {}
    return _split(((key, sizes.get(key)) for key in keys), MAX_BYTES)


def count_that_fit(sizes: Iterable[int | None]) -> int:
    """Return how many of the first sizes add up to at most MAX_BYTES; at least one, unless there are none."""
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
