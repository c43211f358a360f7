"""Parsing and errors of the API: it accepts strict JSON (RFC 8259), and every error response is JSON."""

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
    """Raised with status 413 when the body is larger than `DATA_UPLOAD_MAX_MEMORY_SIZE`."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = "The body is too large."


class NotNowError(APIException):
    """Raised with status 503 when the database is away or broke off.

    Every API call may be repeated, but for those whose second try is another deed: docs/integrate.md §10 names them.
    """

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = "Not done: send the same again."
    # Seconds, for `Retry-After`.
    wait = 5
    because_of = (OperationalError, InterfaceError)


class AnyAccept(DefaultContentNegotiation):
    """Content negotiation that never fails: an `Accept` that no renderer fits gets the view's first renderer."""

    ANYTHING = (None, "", "*/*", "application/json")

    def select_renderer(self, request: Any, renderers: Any, format_suffix: str | None = None) -> Any:
        """Return the renderer that the caller prefers, else the view's first, and its media type."""
        if len(renderers) == 1 and request.META.get("HTTP_ACCEPT") in self.ANYTHING:
            return renderers[0], renderers[0].media_type
        try:
            return super().select_renderer(request, renderers, format_suffix)
        except NotAcceptable:
            return renderers[0], renderers[0].media_type


class Json(JSONParser):
    """A JSON parser that reads UTF-8 only: a `charset` would let the caller choose any Python codec, even zlib.

    A view with `judges_texts` decides itself what to do with a text that no database can store.
    """

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Return the JSON value.

        Raises ParseError or ValidationError (400), which say what is wrong and where, and UnsupportedMediaType (415)
        for a body with a Content-Encoding.
        """
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
    """Return the problem in DRF's error format: objects by field name or index, with a list of texts at the end."""
    errors: Any = [problem]
    for name in reversed(path):
        errors = {name: errors}
    return errors


def refuse(error: Exception, context: dict[str, Any]) -> Response | None:
    """Return a JSON error response with `detail`, also for a body that is too large and while the database is away.

    A view may replace the usual hints: `send_key` tells how to authenticate, `send_otherwise` which other bodies it
    takes. This is DRF's exception handler.
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
        log.error("api_database_unavailable", error=type(error).__name__)
        error = NotNowError()
    return exception_handler(error, context)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return Django's 404 page for an unknown URL; JSON below `/api/`."""
    if request.path.startswith("/api/"):
        return JsonResponse({"detail": "Not found."}, status=404)
    return page_not_found(request, exception)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return Django's 400 page for a request that Django itself refuses; JSON below `/api/`."""
    if request.path.startswith("/api/"):
        detail = OTHER_HOST if isinstance(exception, DisallowedHost) else "This request could not be read."
        return JsonResponse({"detail": detail}, status=400)
    return bad_request_page(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Return the 500 page, with the portal's brand and without a database query; JSON below `/api/`.

    While the database is away the page has status 503 and `Retry-After`, as the API's responses do.
    """
    if request.path.startswith("/api/"):
        return JsonResponse({"detail": "Something went wrong on our side. Our staff have been told."}, status=500)
    page = HttpResponse(render_to_string("500.html", {"brand": settings.BRAND}), status=500)
    if isinstance(sys.exc_info()[1], NotNowError.because_of):
        page.status_code = NotNowError.status_code
        page.headers["Retry-After"] = str(NotNowError.wait)
    return page
