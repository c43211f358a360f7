"""The bare view."""

from django.db import models
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils import timezone


class Bare(models.Model):
    received_at = models.DateTimeField(default=timezone.now)
    body = models.TextField()

    class Meta:
        app_label = "bench"
        db_table = "bench_bare"
        managed = False

    def __str__(self) -> str:
        return f"#{self.pk}"


def bare(request: HttpRequest) -> HttpResponse:
    Bare(body=request.body.decode()).save(force_insert=True)
    return HttpResponse(b"ok", content_type="text/plain")


urlpatterns = [path("bare/", bare)]
