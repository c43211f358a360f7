"""The common behaviour of all endpoints that Altegio calls.

They answer 200 only once the body is stored, and 503 while the database is away, so that Altegio (or a person) tries
again. There is no rate limit for each caller (docs/interface.md).
"""

import json
from collections.abc import Callable
from typing import Any

import structlog
from django.db import Error as DatabaseAway
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from partner_portal.core.bounded_body import NOT_STORED, HttpError, read_body
from partner_portal.core.clean import InvalidJsonError

log = structlog.get_logger(__name__)

View = Callable[..., HttpResponse]


def taken() -> HttpResponse:
    """Return a plain 200 with Content-Length, which no middleware adds here; without it three pieces are sent."""
    return HttpResponse(b"ok", content_type="text/plain", headers={"Content-Length": "2"})


# RFC 9110: a 401 response says how to authenticate (§15.5.2), a 503 after how many seconds to retry (§15.6.4).
HEADERS = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "5"}}


def _refusal(refusal: HttpError) -> HttpResponse:
    return JsonResponse({"detail": str(refusal)}, status=refusal.status, headers=HEADERS.get(refusal.status))


def answer_json(value: Any) -> HttpResponse:
    """Return a 200 response with a JSON value, and with its length as in `taken`."""
    body = json.dumps(value).encode()
    return HttpResponse(body, content_type="application/json", headers={"Content-Length": str(len(body))})


def webhook_endpoint(max_bytes: int, *headers: str) -> Callable[[Callable[..., HttpResponse | None]], View]:
    """Return a decorator that makes a view of `store(body, *headers, **path)`, which returns once the body is stored.

    `headers` are named as in `HttpRequest.META`; a missing one is "". `store` returns its response, or None for a
    plain 200, and raises HttpError or InvalidJsonError to refuse the request.
    """

    def decorate(store: Callable[..., HttpResponse | None]) -> View:
        @csrf_exempt
        def view(request: HttpRequest, **path: Any) -> HttpResponse:
            if request.method != "POST":
                return HttpResponse(status=405, headers={"Allow": "POST"})
            try:
                body = read_body(request, max_bytes)
                answer = store(body, *(request.META.get(name, "") for name in headers), **path)
            except HttpError as refusal:
                return _refusal(refusal)
            except InvalidJsonError as problem:
                return JsonResponse({"detail": str(problem)}, status=400)
            except DatabaseAway as error:
                log.error("incoming_not_stored", error=type(error).__name__)
                return _refusal(HttpError(503, NOT_STORED))
            return answer or taken()

        return view

    return decorate
