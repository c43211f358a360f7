"""The request id: given to each request, bound to its log lines, kept with the calls it leads to."""

import uuid
from collections.abc import Callable

import structlog
from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect, JsonResponse

from partner_portal.core.trailing_slash import VISITS


def request_id(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: a new id for each request, sent back as `X-Request-ID`."""

    def middleware(request: HttpRequest) -> HttpResponse:
        with structlog.contextvars.bound_contextvars(request_id=uuid.uuid4().hex):
            response = get_response(request)
            response["X-Request-ID"] = current_request_id()
            return response

    return middleware


def redirect_to_https(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: a visit that the proxy took in over http goes to https; anything else is refused.

    A client that follows a redirect repeats a POST as a GET, and what it told is lost. Calls from behind the proxy
    are left alone.
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
    """Middleware: 400 for a NUL in a path. Nothing has it in its name, and PostgreSQL refuses to look for it."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if "\x00" in request.path_info:
            raise BadRequest("There is a NUL in the path.")
        return get_response(request)

    return middleware


def no_store(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: no cache keeps an answer that does not say otherwise: pages and API answers are somebody's own."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.setdefault("Cache-Control", "private, no-store")
        return response

    return middleware


def current_request_id() -> str:
    """The id of the request being answered, or "" outside of one (beat, commands)."""
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))
