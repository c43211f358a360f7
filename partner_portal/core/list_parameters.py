"""What the API's lists may be asked for, and how they refuse: in the settings, so that it holds for every list.

A list names its parameters in `parameters`. One that it does not know is refused: an answer that was not narrowed
down as the caller meant it shows others' rows, and nobody notices.

**Reading along.** `updated_since` gives the rows that changed at that moment or later. Pages go by the row's id,
which never changes: a row that changes between two pages neither moves to another page nor comes twice, and none is
left out because another one changed. What changes after its page was read comes in the next round, if that asks from
the moment on at which this round began; less some minutes, because a change is seen when its transaction ends.
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
    """One thing that a list may be asked for."""

    lookup: str  # the lookup that it narrows the rows by
    read: Callable[[str], object]  # raises ValueError, whose text says what to write
    schema: dict[str, Any]
    meaning: str = ""


def number(lookup: str, meaning: str = "") -> Parameter:
    """An id."""

    def read(text: str) -> int:
        if not _ID.fullmatch(text) or not int(text):
            raise ValueError("Write a number of 1 to 18 digits.")
        return int(text)

    schema = {"type": "integer", "format": "int64", "minimum": 1, "maximum": 10**18 - 1}
    return Parameter(lookup, read, schema, meaning)


def choice(lookup: str, choices: Mapping[str, str]) -> Parameter:
    """One of some words, each with what is stored for it."""

    def read(text: str) -> str:
        if text not in choices:
            raise ValueError(f"Write one of: {', '.join(choices)}.")
        return choices[text]

    return Parameter(lookup, read, {"type": "string", "enum": list(choices)})


def words(lookup: str, most: int, meaning: str = "") -> Parameter:
    """A text that is looked for as it stands."""

    def read(text: str) -> str:
        if not 1 <= len(text) <= most or not text.isprintable():
            raise ValueError(f"Write a text of 1 to {most} characters.")
        return text

    return Parameter(lookup, read, {"type": "string", "minLength": 1, "maxLength": most}, meaning)


def _moment(text: str) -> datetime:
    # An address that was not encoded has a space where the zone's + was.
    date, time, rest = text.partition("T")
    return read_moment(date + time + rest.replace(" ", "+"))


# The moment from which on changed rows are wanted.
UPDATED_SINCE = Parameter(
    "updated_at__gte",
    _moment,
    {"type": "string", "format": "date-time"},
    "Only what changed at this moment or later (`updated_at`). To read along, ask next time from the moment on "
    "at which this round began, less five minutes: then no change is missed.",
)


class KnownParameters(BaseFilterBackend):
    """Narrows a list by the parameters that its view names in `parameters`, and refuses all others with 400."""

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
        """Return what the schema says of the addresses' parameters."""
        return [
            {"name": name, "in": "query", "required": False, "schema": known.schema, "description": known.meaning}
            for name, known in _parameters(view).items()
        ]


def _parameters(view: APIView) -> dict[str, Parameter]:
    return getattr(view, "parameters", {})


def _of_pages(view: APIView) -> frozenset[str]:
    """Return what every list takes, also one that is narrowed by nothing."""
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
