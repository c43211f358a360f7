"""The portal's URLs (docs/interface.md)."""

from django.contrib import admin
from django.urls import include, path
from django.views.decorators.http import require_safe
from django.views.generic import RedirectView

from integrations.backoffice import health
from integrations.connections import brand_files
from integrations.handover import views as handover
from partner_portal.core.metrics import metrics

handler400 = "partner_portal.core.api_errors.bad_request"
handler404 = "partner_portal.core.api_errors.not_found"
handler500 = "partner_portal.core.api_errors.server_error"
urlpatterns = [
    # Django tries these in order, so the URLs that programs call stand first.
    path("api/v1/", include("partner_portal.api_urls")),
    path("", require_safe(RedirectView.as_view(pattern_name="accounts:home"))),
    path("connect/", include("integrations.connect.urls")),
    path("altegio/", include("partner_portal.altegio_urls")),
    path("account/", include("integrations.lifecycle.urls")),
    path("account/sender-names/", include("integrations.sender_names.urls")),
    path("account/telephony/", include("integrations.telephony.urls")),
    path("account/", include("integrations.handover.urls")),
    path("account/", include("accounts.urls")),
    path("account/billing/", include("billing.urls")),
    path("admin/", admin.site.urls),
    path("brand/<str:color>-<str:version>.css", brand_files.stylesheet),
    path("brand/<str:name>", brand_files.logo),
    path(".well-known/jwks.json", handover.jwks),
    path("healthz/", health.healthz),
    path("readyz/", health.readyz),
    path("metrics/", metrics),
]
