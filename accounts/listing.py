"""Paging and search of long lists on the owner's pages."""

from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest

PER_PAGE = 25
MAX_SEARCH = 100


def searched(request: HttpRequest) -> str:
    """Return what the owner searches for, from `?q=`, cut to `MAX_SEARCH` characters."""
    return request.GET.get("q", "").replace("\0", "").strip()[:MAX_SEARCH]


def place_in(request: HttpRequest) -> dict[str, str]:
    """Return the search and the page number, for links back to the same place of the list."""
    return {name: request.GET[name] for name in ("q", "page") if name in request.GET}


def page_of(request: HttpRequest, rows: "QuerySet[Any]") -> Page[Any]:
    """Return the page of rows that `?page=` names; a number that is invalid or too large gives the nearest page."""
    return Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
