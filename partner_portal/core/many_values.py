"""Very many values at once, as one parameter."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection
from django.db.models.expressions import RawSQL
from pydantic_core import to_json


def any_of(texts: Iterable[str]) -> Any:
    """The right side of `…__in`, one parameter however many `texts` there are.

    A parameter for each of a thousand costs PostgreSQL's driver and planner more than the search in the index; and
    the driver writes an array text by text, JSON at once.
    """
    if connection.vendor != "postgresql":
        return list(texts)
    return RawSQL("SELECT json_array_elements_text(%s::json)", [json.dumps(list(texts))])


def any_key(keys: Sequence[int]) -> Any:
    """The right side of `pk__in`, one parameter however many `keys` there are."""
    if connection.vendor != "postgresql":
        return keys
    return RawSQL("SELECT unnest(%s::bigint[])", [as_array(keys)])


def as_array(values: Sequence[Any]) -> str:
    """PostgreSQL's own notation for an array of `values`; none of the texts may hold control characters.

    The driver writes an array value by value, in ten times as long. Where nothing but quotes and backslashes is
    escaped, the notation differs from JSON in its brackets alone.
    """
    return f"{{{to_json(values)[1:-1].decode()}}}"
