"""A short path for Altegio's requests: callbacks, events and messages skip the middleware that only browsers need.

They have no session, cookie, language or form. Their endpoints have their own protection: size limits, a token, an
unguessable key. The ordinary URLs lead to the same views, for tests and `runserver`.
"""

from typing import TYPE_CHECKING, Any

from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIRequest
from django.core.signals import request_started
from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver
from django.utils.log import log_response

from partner_portal.core.trailing_slash import with_slash

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from django.http import HttpRequest, HttpResponse

PREFIX = "/altegio/"


class ShortPath:
    """A WSGI application that does only what Django's own handler does for a view without middleware.

    Measured with `python -m bench web`: the rest of the handler costs a third of the time that the views may take.
    """

    def __init__(self) -> None:
        self._resolver = get_resolver("partner_portal.altegio_urls")
        self._answer = convert_exception_to_response(self._view)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> "Iterable[bytes]":
        request_started.send(sender=type(self), environ=environ)
        request = WSGIRequest(environ)
        response: Any = self._answer(request)
        if response.status_code >= 400:
            log_response("%s: %s", response.reason_phrase, PREFIX, response=response, request=request)
        start_response(f"{response.status_code} {response.reason_phrase}", list(response.items()))
        answer: Iterable[bytes] = response  # WSGI calls its `close`, which ends the request
        return answer

    def _view(self, request: "HttpRequest") -> "HttpResponse":
        view, _positional, path = self._resolver.resolve(with_slash(request.path_info[len(PREFIX) - 1 :]))
        response: HttpResponse = view(request, **path)
        return response


def with_short_path() -> "WSGIApplication":
    """Return the portal's WSGI application: the short path for its prefix, all of Django for everything else."""
    whole = get_wsgi_application()
    short = ShortPath()

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> "Iterable[bytes]":
        handler = short if environ.get("PATH_INFO", "").startswith(PREFIX) else whole
        return handler(environ, start_response)

    return application
