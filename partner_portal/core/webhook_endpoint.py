"""The doors: what every address that Altegio calls has in common.

200 only for what is stored; 503 while the database is away, so that Altegio (or a person) tries again.
No limit for each calling address stands here (docs/interface.md).
"""

from collections.abc import Callable
from typing import Any

import structlog
from django.db import Error as DatabaseAway
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from partner_portal.core.bounded_body import HttpError, read_body
from partner_portal.core.clean import InvalidJsonError

log = structlog.get_logger(__name__)

View = Callable[..., HttpResponse]


def taken() -> HttpResponse:
    """200. With its length, which no middleware adds here: without one it goes out in three pieces."""
    return HttpResponse(b"ok", content_type="text/plain", headers={"Content-Length": "2"})


def webhook_endpoint(max_bytes: int) -> Callable[[Callable[..., None]], View]:
    """Make a view of `store(body, **path)`, which returns once the body is stored.

    `store` raises HttpError or InvalidJsonError for what it refuses.
    """

    def decorate(store: Callable[..., None]) -> View:
        @csrf_exempt
        def view(request: HttpRequest, **path: Any) -> HttpResponse:
            if request.method != "POST":
                return HttpResponse(status=405, headers={"Allow": "POST"})
            try:
                store(read_body(request, max_bytes), **path)
            except HttpError as refusal:
                return JsonResponse({"detail": str(refusal)}, status=refusal.status)
            except InvalidJsonError as problem:
                return JsonResponse({"detail": str(problem)}, status=400)
            except DatabaseAway as error:
                log.error("incoming_not_stored", error=type(error).__name__)
                return JsonResponse({"detail": "Not stored: try again."}, status=503, headers={"Retry-After": "5"})
            return taken()

        return view

    return decorate
