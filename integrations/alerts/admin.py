"""Alerts in the control room: what needs a person, and the test of where they are told."""

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from integrations.alerts.channels import NotSentError, send_test
from integrations.alerts.models import Alert
from integrations.alerts.raising import clear_alerts
from partner_portal.core.admin_base import Lookups, ReadOnlyAdmin, confirm_action, link_to
from partner_portal.core.english import english as _

OPERATE = "alerts.change_alert"


class OpenFilter(admin.SimpleListFilter):
    """Alerts that nobody has dealt with yet."""

    title = _("state")
    parameter_name = "open"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Lookups:
        return [("yes", _("open"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(cleared_at=None) if self.value() == "yes" else queryset


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin):
    list_display = ("raised_at", "kind", "text", "connection_link", "cleared_at")
    list_filter = (OpenFilter, "kind")
    quick_filters = ((_("open"), "open=yes"), (_("open: failed calls"), "open=yes&kind__exact=call"))
    list_select_related = ("connection__application", "connection__location")
    ordering = ("-pk",)
    actions = ("clear",)
    change_list_template = "admin/alerts/alert_list.html"

    @admin.display(description=_("connection"))
    def connection_link(self, alert: Alert) -> SafeString | str:
        return link_to(alert.connection)

    @confirm_action(_("Clear"), _("The chosen alerts are dealt with."), permission=OPERATE)
    def clear(self, _request: HttpRequest, chosen: QuerySet[Alert]) -> str:
        clear_alerts(pk__in=[alert.pk for alert in chosen])
        return str(_("Cleared."))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        may_test = bool(settings.ALERT_URLS) and request.user.has_perm(OPERATE)
        return super().changelist_view(request, {"may_test": may_test, **(extra_context or {})})

    def get_urls(self) -> list[URLPattern]:
        test = path("test/", self.admin_site.admin_view(require_POST(self.test)), name="alerts_alert_test")
        return [test, *super().get_urls()]

    def test(self, request: HttpRequest) -> HttpResponse:
        """Send a test message to each address of `ALERT_URLS` now, and say who took it."""
        if not request.user.has_perm(OPERATE):
            raise PermissionDenied
        try:
            messages.success(request, _("Taken by: %s.") % ", ".join(send_test()))
        except NotSentError as error:
            messages.error(request, str(error))
        return redirect("admin:alerts_alert_changelist")
