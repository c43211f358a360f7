"""URLs below `/api/v1/`: those of the apps, the schema and its documentation page."""

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

import accounts.openapi  # noqa: F401 - registers itself with the schema

# The split view serves the page's script from a URL of its own: the content security policy allows no inline script.
# The page takes GET and HEAD only, because an answer to OPTIONS would need another template.
docs = SpectacularSwaggerSplitView.as_view(
    url_name="schema", template_name="api/docs.html", http_method_names=["get", "head"]
)

urlpatterns = [
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", docs),
    path("", include("billing.api.urls")),
    path("", include("integrations.api.urls")),
]
