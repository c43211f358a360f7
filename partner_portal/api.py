"""`/api/v1/`: the apps' parts, the schema and its readable page."""

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

import accounts.openapi  # noqa: F401 - registers itself with the schema

urlpatterns = [
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", SpectacularSwaggerView.as_view(url_name="schema")),
    path("", include("integrations.api.urls")),
    path("", include("billing.api.urls")),
]
