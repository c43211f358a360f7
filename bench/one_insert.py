"""What the arrival page is measured against: a bare Django view, no middleware, one INSERT."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from partner_portal.settings import *  # noqa: F403

MIDDLEWARE = []
ROOT_URLCONF = "bench.one_insert"


def insert(_request: HttpRequest) -> HttpResponse:
    from integrations.models import RefusedArrival

    RefusedArrival.objects.create(reason="A row of the benchmark.")
    # No middleware gives it a length, and without one the answer goes out in chunks.
    return HttpResponse("ok", headers={"Content-Length": "2"})


def healthz(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


urlpatterns = [path("insert/", insert), path("healthz/", healthz)]
