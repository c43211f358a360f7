"""What the API takes in, JSON by the letter of RFC 8259, and how it refuses: in JSON, whatever was wrong."""

import json
from collections.abc import Mapping
from typing import IO, Any

import structlog
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.defaults import page_not_found
from rest_framework import status
from rest_framework.exceptions import APIException, ErrorDetail, ParseError, UnsupportedMediaType
from rest_framework.parsers import JSONParser
from rest_framework.response import Response
from rest_framework.utils.json import strict_constant
from rest_framework.views import exception_handler

log = structlog.get_logger(__name__)

SEND_JSON = "Send JSON, with the header Content-Type: application/json."


class TooLarge(APIException):
    """413: the body is larger than `DATA_UPLOAD_MAX_MEMORY_SIZE`."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = "The body is too large."


class NotNow(APIException):
    """503: the database is away, or broke off. Every call of the API may be repeated."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = "Not done: send the same again."
    wait = 5


class Json(JSONParser):
    """UTF-8 alone: a `charset` would let the caller choose any of Python's codecs, zlib among them."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """The JSON value. Raises ParseError (400) where it is none, or nested more deeply than can be read."""
        try:
            return json.loads(stream.read().decode("utf-8"), parse_constant=strict_constant)
        except (ValueError, RecursionError):
            raise ParseError("The body is not JSON in UTF-8, or too deeply nested.") from None


def refuse(error: Exception, context: dict[str, Any]) -> Response | None:
    """Every refusal is JSON with a `detail`, also of a body that is too large and while the database is away."""
    if isinstance(error, RequestDataTooBig):
        error = TooLarge()
    elif isinstance(error, UnsupportedMediaType):
        error.detail = ErrorDetail(f"{error.detail} {SEND_JSON}", error.default_code)
    elif isinstance(error, OperationalError | InterfaceError):
        log.error("api_not_done", error=type(error).__name__)
        error = NotNow()
    return exception_handler(error, context)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's page for an address that leads nowhere; JSON below `/api/`."""
    if request.path.startswith("/api/"):
        return JsonResponse({"detail": "Not found."}, status=404)
    return page_not_found(request, exception)
