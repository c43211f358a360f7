"""Optional trailing slashes: a URL without its slash works for programs, and redirects browsers that visit pages.

Django redirects to the URL with the slash. A client that follows redirects turns its POST into a GET and silently
loses its body, so only visits of pages are redirected.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import is_valid_path

PAGES = ("/account", "/admin", "/connect")
VISITS = ("GET", "HEAD")


def with_slash(path: str) -> str:
    """Return the path with a trailing slash, as in the portal's URL patterns."""
    return path if path.endswith("/") else f"{path}/"


def slash_optional(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Treat a path without its slash as the one with it if that exists, except for page visits (middleware)."""

    def middleware(request: HttpRequest) -> HttpResponse:
        path = with_slash(request.path_info)
        if path != request.path_info and not _is_visit_of_page(request) and is_valid_path(path):
            request.path_info, request.path = path, with_slash(request.path)
        return get_response(request)

    return middleware


def _is_visit_of_page(request: HttpRequest) -> bool:
    return request.method in VISITS and request.path_info.startswith(PAGES)
