"""Query parameters of the API's lists. The filter backend is in the settings, so that it applies to every list.

A list names its parameters in `parameters`. An unknown one is refused: otherwise the caller would get rows that
should have been filtered out, and nobody would notice.

**Incremental reading.** `updated_since` returns the rows that changed at that time or later. Pages are ordered by id,
which never changes: a row that changes between two pages neither moves to another page nor comes twice, and no other
row is left out because of it. A row that changes after its page was read comes in the next round, if that asks for
changes since this round began, less some minutes, because a change is visible only when its transaction ends.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.filters import BaseFilterBackend
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.views import APIView

from partner_portal.core.datetimes import read_moment

M = TypeVar("M", bound=Model)
Row = TypeVar("Row")
_ID = re.compile("[0-9]{1,18}")
OF_PAGES = frozenset({"cursor", "page_size"})


@dataclass(frozen=True)
class Parameter:
    """One query parameter of a list."""

    lookup: str  # the Django lookup that filters the rows
    read: Callable[[str], object]  # raises ValueError, whose text says what to write
    schema: dict[str, Any]
    meaning: str = ""


def number(lookup: str, meaning: str = "") -> Parameter:
    """Return a parameter that is an id."""

    def read(text: str) -> int:
        if not _ID.fullmatch(text) or not int(text):
            raise ValueError("Write a number of 1 to 18 digits.")
        return int(text)

    schema = {"type": "integer", "format": "int64", "minimum": 1, "maximum": 10**18 - 1}
    return Parameter(lookup, read, schema, meaning)


def choice(lookup: str, choices: Mapping[str, str]) -> Parameter:
    """Return a parameter that is one of some words; `choices` maps each to the stored value."""

    def read(text: str) -> str:
        if text not in choices:
            raise ValueError(f"Write one of: {', '.join(choices)}.")
        return choices[text]

    return Parameter(lookup, read, {"type": "string", "enum": list(choices)})


def words(lookup: str, most: int, meaning: str = "") -> Parameter:
    """Return a parameter that is a text of 1 to `most` characters, searched for as it is."""

    def read(text: str) -> str:
        if not 1 <= len(text) <= most or not text.isprintable():
            raise ValueError(f"Write a text of 1 to {most} characters.")
        return text

    return Parameter(lookup, read, {"type": "string", "minLength": 1, "maxLength": most}, meaning)


def _moment(text: str) -> datetime:
    # In a URL that was not encoded the zone's "+" is read as a space.
    date, time, rest = text.partition("T")
    return read_moment(date + time + rest.replace(" ", "+"))


# Selects rows that changed at this time or later.
UPDATED_SINCE = Parameter(
    "updated_at__gte",
    _moment,
    {"type": "string", "format": "date-time"},
    "Only what changed at this moment or later (`updated_at`). To read along, ask next time from the moment on "
    "at which this round began, less five minutes: then no change is missed.",
)


class KnownParameters(BaseFilterBackend):
    """A filter backend that takes the parameters named in the view's `parameters` and refuses all others with 400."""

    def filter_queryset(self, request: Request, queryset: QuerySet[M, Row], view: APIView) -> QuerySet[M, Row]:
        asked, problems = {}, {}
        for name, values in request.query_params.lists():
            if name in _of_pages(view):
                continue
            try:
                parameter = _known(view, name)
                asked[parameter.lookup] = parameter.read(_only(values))
            except ValueError as problem:
                problems[name] = [str(problem)]
        if problems:
            raise ValidationError(problems)
        return queryset.filter(**asked)

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        """Return the OpenAPI description of the list's parameters."""
        return [
            {"name": name, "in": "query", "required": False, "schema": known.schema, "description": known.meaning}
            for name, known in _parameters(view).items()
        ]


def _parameters(view: APIView) -> dict[str, Parameter]:
    return getattr(view, "parameters", {})


def _of_pages(view: APIView) -> frozenset[str]:
    """Return the parameters of pagination, which every list takes."""
    return OF_PAGES if isinstance(view, ListModelMixin) else frozenset()


def _known(view: APIView, name: str) -> Parameter:
    known = _parameters(view)
    if name not in known:
        names = sorted({*known, *_of_pages(view)})
        taken = f"This list takes: {', '.join(names)}." if names else "This address takes none."
        raise ValueError(f"There is no such parameter. {taken}")
    return known[name]


def _only(values: list[str]) -> str:
    if len(values) != 1:
        raise ValueError("Write this parameter once.")
    return values[0]
