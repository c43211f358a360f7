"""`/api/v1/`: the apps' parts, the schema and its readable page."""

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

import accounts.openapi  # noqa: F401 - registers itself with the schema

# Split: the page's script is an address of its own, because the portal's policy allows no inline script.
# It is read and nothing else: an answer to OPTIONS would need a template of its own.
docs = SpectacularSwaggerSplitView.as_view(
    url_name="schema", template_name="api/docs.html", http_method_names=["get", "head"]
)

urlpatterns = [
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", docs),
    path("", include("billing.api.urls")),
    path("", include("integrations.api.urls")),
]
