"""The floor of the web's figures: settings without middleware, and views that do one INSERT and nothing else."""

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path

from partner_portal.settings import *  # noqa: F403

MIDDLEWARE = []
ROOT_URLCONF = "bench.bare"

STATUSES = """
INSERT INTO bench_statuses (batch_id, address_id, message_id, id_is_number, status, payment_sum, currency_iso,
    parts_amount)
SELECT 1, 1, id, false, status, payment_sum, currency_iso, parts_amount
FROM json_to_recordset(%s::json)
    AS told(id text, status smallint, payment_sum numeric, currency_iso text, parts_amount smallint)
"""


def one_row(request: HttpRequest) -> HttpResponse:
    """Store the body, or the query of a GET."""
    told = request.body.decode() or request.META["QUERY_STRING"]
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO bench_bare (body) VALUES (%s)", [told])
    return _ok()


def statuses(request: HttpRequest) -> HttpResponse:
    """Store a thousand statuses as rows, unchecked."""
    with connection.cursor() as cursor:
        cursor.execute(STATUSES, [request.body.decode()])
    return _ok()


def healthz(_request: HttpRequest) -> HttpResponse:
    return _ok()


def _ok() -> HttpResponse:
    # No middleware adds the length, and without it the answer would be sent in chunks.
    return HttpResponse("ok", headers={"Content-Length": "2"})


urlpatterns = [path("bare/", one_row), path("bare/statuses/", statuses), path("healthz/", healthz)]
