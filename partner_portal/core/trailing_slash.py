"""An address without its trailing slash is the same address: for programs always, for pages led there.

Django redirects to the address with the slash, and a client that follows redirects turns its POST into a GET:
what it told is lost without a word. So a redirect is for browsers that visit pages alone.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import is_valid_path

PAGES = ("/account", "/admin", "/connect")
VISITS = ("GET", "HEAD")


def with_slash(path: str) -> str:
    """The address as the portal's list of addresses writes it."""
    return path if path.endswith("/") else f"{path}/"


def slash_optional(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: read an address without its slash as the one with it, where there is one."""

    def middleware(request: HttpRequest) -> HttpResponse:
        path = with_slash(request.path_info)
        if path != request.path_info and not _is_visit_of_page(request) and is_valid_path(path):
            request.path_info, request.path = path, with_slash(request.path)
        return get_response(request)

    return middleware


def _is_visit_of_page(request: HttpRequest) -> bool:
    return request.method in VISITS and request.path_info.startswith(PAGES)
