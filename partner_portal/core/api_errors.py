"""What the API takes in, JSON by the letter of RFC 8259, and how it refuses: in JSON, whatever was wrong."""

import sys
from collections.abc import Mapping
from typing import IO, Any

import structlog
from django.conf import settings
from django.core.exceptions import DisallowedHost, RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.views.defaults import bad_request as bad_request_page
from django.views.defaults import page_not_found
from rest_framework import status
from rest_framework.exceptions import (
    APIException,
    ErrorDetail,
    NotAcceptable,
    NotAuthenticated,
    NotFound,
    ParseError,
    UnsupportedMediaType,
    ValidationError,
)
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import JSONParser
from rest_framework.response import Response
from rest_framework.views import exception_handler

from partner_portal.core.clean import InvalidJsonError
from partner_portal.core.request_json import NotStorableError, Path, parse_request

log = structlog.get_logger(__name__)

SEND_JSON = "Send JSON, with the header Content-Type: application/json."
SEND_KEY = "Send the header Authorization: Api-Key <key>. Make a key with: manage.py create_api_key"
NO_SUCH_ID = "Nothing here has this id. The lists show the ids."
NOT_ENCODED = "Send the body as it is, without Content-Encoding."
OTHER_HOST = "The portal does not answer under this host name: use that of PORTAL_URL, or add yours to ALLOWED_HOSTS."


class TooLargeError(APIException):
    """413: the body is larger than `DATA_UPLOAD_MAX_MEMORY_SIZE`."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = "The body is too large."


class NotNowError(APIException):
    """503: the database is away, or broke off. Every call of the API may be repeated."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = "Not done: send the same again."
    # Seconds, for `Retry-After`.
    wait = 5
    because_of = (OperationalError, InterfaceError)


class AnyAccept(DefaultContentNegotiation):
    """Who asks for what we do not speak is answered in what we do: nothing is lost for an `Accept` of old."""

    ANYTHING = (None, "", "*/*", "application/json")

    def select_renderer(self, request: Any, renderers: Any, format_suffix: str | None = None) -> Any:
        """The renderer that the caller prefers, else the view's first."""
        if len(renderers) == 1 and request.META.get("HTTP_ACCEPT") in self.ANYTHING:
            return renderers[0], renderers[0].media_type
        try:
            return super().select_renderer(request, renderers, format_suffix)
        except NotAcceptable:
            return renderers[0], renderers[0].media_type


class Json(JSONParser):
    """UTF-8 alone: a `charset` would let the caller choose any of Python's codecs, zlib among them.

    A view with `judges_texts` says itself what becomes of a text that no database can hold.
    """

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """The JSON value. Raises ParseError or ValidationError (400), which say what is wrong with it, and where."""
        context = parser_context or {}
        if "request" in context and context["request"].headers.get("Content-Encoding", "") not in ("", "identity"):
            raise UnsupportedMediaType(media_type or "", detail=NOT_ENCODED)
        try:
            return parse_request(stream.read(), mark=getattr(context.get("view"), "judges_texts", False))
        except NotStorableError as problem:
            raise ValidationError(_at(problem.path, str(problem))) from None
        except InvalidJsonError as problem:
            raise ParseError(str(problem)) from None


def _at(path: Path, problem: str) -> Any:
    """As DRF writes what is wrong at a place: objects and lists by name and index, a list of texts at the end."""
    errors: Any = [problem]
    for name in reversed(path):
        errors = {name: errors}
    return errors


def refuse(error: Exception, context: dict[str, Any]) -> Response | None:
    """Every refusal is JSON with a `detail`, also of a body that is too large and while the database is away.

    A view says by `send_key` and `send_otherwise` what else it takes than the others do.
    """
    view = context.get("view")
    if isinstance(error, RequestDataTooBig):
        error = TooLargeError()
    elif isinstance(error, UnsupportedMediaType):
        hints = f"{SEND_JSON} {getattr(view, 'send_otherwise', '')}".rstrip()
        error.detail = ErrorDetail(f"{error.detail} {hints}", error.default_code)
    elif isinstance(error, NotAuthenticated):
        error.detail = ErrorDetail(getattr(view, "send_key", SEND_KEY), error.default_code)
    elif isinstance(error, Http404):
        error = NotFound(NO_SUCH_ID)
    elif isinstance(error, NotNowError.because_of):
        log.error("api_not_done", error=type(error).__name__)
        error = NotNowError()
    return exception_handler(error, context)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's page for an address that leads nowhere; JSON below `/api/`."""
    if request.path.startswith("/api/"):
        return JsonResponse({"detail": "Not found."}, status=404)
    return page_not_found(request, exception)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's page for a request that it refuses itself; JSON below `/api/`."""
    if request.path.startswith("/api/"):
        detail = OTHER_HOST if isinstance(exception, DisallowedHost) else "This request could not be read."
        return JsonResponse({"detail": detail}, status=400)
    return bad_request_page(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's page for an error of ours, with the portal's brand; it asks no database. JSON below `/api/`.

    503 while the database is away, as the API says it.
    """
    if request.path.startswith("/api/"):
        return JsonResponse({"detail": "Something went wrong on our side. Our staff have been told."}, status=500)
    page = HttpResponse(render_to_string("500.html", {"brand": settings.BRAND}), status=500)
    if isinstance(sys.exc_info()[1], NotNowError.because_of):
        page.status_code = NotNowError.status_code
        page.headers["Retry-After"] = str(NotNowError.wait)
    return page
