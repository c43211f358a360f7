"""Long lists on the owner's pages: so many rows at a time, and a search."""

from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest

PER_PAGE = 25
MAX_SEARCH = 100


def searched(request: HttpRequest) -> str:
    """Return what the owner looks for, from `?q=`."""
    return request.GET.get("q", "").replace("\0", "").strip()[:MAX_SEARCH]


def place_in(request: HttpRequest) -> dict[str, str]:
    """The search and the page, for the way back to the same place of the list."""
    return {name: request.GET[name] for name in ("q", "page") if name in request.GET}


def page_of(request: HttpRequest, rows: "QuerySet[Any]") -> Page[Any]:
    """The rows of `?page=`; a number that is none, or too large, is the nearest that is."""
    return Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
