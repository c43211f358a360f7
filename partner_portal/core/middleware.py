"""Small middleware functions: the request id of log lines and calls, https, NUL in paths, caching."""

import uuid
from collections.abc import Callable

import structlog
from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect, JsonResponse

from partner_portal.core.trailing_slash import VISITS


def request_id(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Give each request a new id, bind it to the log lines and return it as `X-Request-ID` (middleware)."""

    def middleware(request: HttpRequest) -> HttpResponse:
        with structlog.contextvars.bound_contextvars(request_id=uuid.uuid4().hex):
            response = get_response(request)
            response["X-Request-ID"] = current_request_id()
            return response

    return middleware


def redirect_to_https(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Redirect GET and HEAD from http to https, and refuse other methods over http with 400 (middleware).

    A client that follows a redirect repeats a POST as a GET and loses its body. Only requests that the proxy received
    over http are concerned, not requests from behind the proxy.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if not settings.BEHIND_HTTPS or request.headers.get("X-Forwarded-Proto") != "http":
            return get_response(request)
        if request.method in VISITS:
            return HttpResponsePermanentRedirect(f"{settings.PORTAL_URL}{request.get_full_path()}")
        return JsonResponse(
            {"detail": f"Not done, as it came over http. Send it to {settings.PORTAL_URL}."}, status=400
        )

    return middleware


def no_nul(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Answer 400 to a NUL in the path (middleware): no name contains one, and PostgreSQL refuses to query it."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if "\x00" in request.path_info:
            raise BadRequest("There is a NUL in the path.")
        return get_response(request)

    return middleware


def no_store(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Forbid caching unless the response says otherwise (middleware): pages and API responses are personal."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.setdefault("Cache-Control", "private, no-store")
        return response

    return middleware


def current_request_id() -> str:
    """Return the id of the current request, or "" outside of one (beat, commands)."""
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))
