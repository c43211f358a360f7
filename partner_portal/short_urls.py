"""The addresses of the short path: only what Altegio calls."""

from django.urls import include, path

urlpatterns = [path("altegio/", include("integrations.incoming.urls"))]
