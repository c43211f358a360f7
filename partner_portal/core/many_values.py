"""Very many values as one query parameter."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection
from django.db.models.expressions import RawSQL
from pydantic_core import to_json


def any_of(texts: Iterable[str]) -> Any:
    """Return the right side of `…__in`, which on PostgreSQL is one parameter for any number of `texts`.

    A thousand parameters cost PostgreSQL's driver and planner more than the search in the index. The parameter is
    JSON, because the driver encodes an array text by text.
    """
    if connection.vendor != "postgresql":
        return list(texts)
    return RawSQL("SELECT json_array_elements_text(%s::json)", [json.dumps(list(texts))])


def any_key(keys: Sequence[int]) -> Any:
    """Return the right side of `pk__in`, which on PostgreSQL is one parameter for any number of `keys`."""
    if connection.vendor != "postgresql":
        return keys
    return RawSQL("SELECT unnest(%s::bigint[])", [as_array(keys)])


def as_array(values: Sequence[Any]) -> str:
    """Return `values` in PostgreSQL's array notation; texts among them must not contain control characters.

    The driver encodes an array value by value, which takes ten times as long. If only quotes and backslashes are
    escaped, the notation differs from JSON only in its brackets.
    """
    return f"{{{to_json(values)[1:-1].decode()}}}"
