"""The short path in: Altegio's callback and events pass no middleware that only browsers need.

They carry no session, no cookie, no language and no form; what protects them (sizes, token, unguessable
key) stands in their doors. The ordinary addresses lead to the same views, for tests and `runserver`.
"""

from typing import TYPE_CHECKING, Any

from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIHandler
from django.core.wsgi import get_wsgi_application

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from django.http import HttpRequest

PREFIX = "/altegio/"


class ShortPath(WSGIHandler):
    """Django's own handler, without middleware and with few addresses."""

    def load_middleware(self, is_async: bool = False) -> None:
        self._view_middleware: list[Any] = []
        self._template_response_middleware: list[Any] = []
        self._exception_middleware: list[Any] = []
        answer: Any = self._get_response  # type: ignore[attr-defined]  # BaseHandler's own, not in the stubs
        self._middleware_chain = convert_exception_to_response(answer)

    def resolve_request(self, request: "HttpRequest") -> Any:
        request.urlconf = "partner_portal.short_urls"
        return super().resolve_request(request)


def with_short_path() -> "WSGIApplication":
    """The whole portal: the short path for its prefix, everything else through all of Django."""
    whole = get_wsgi_application()
    short = ShortPath()

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> "Iterable[bytes]":
        handler = short if environ.get("PATH_INFO", "").startswith(PREFIX) else whole
        return handler(environ, start_response)

    return application
