"""The product's addresses, and a view that does nothing but one INSERT."""

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt


@csrf_exempt
def bare_insert(request: HttpRequest) -> HttpResponse:
    """The least that taking something in can cost behind the same server and middlewares."""
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO bench_payments (body) VALUES (%s)", [request.body.decode()])
    return HttpResponse(status=202)


urlpatterns = [path("bench/bare/", bare_insert), path("", include("partner_portal.urls"))]
