"""Admin screens of alerts: what needs a person, who sees to it, and a test of the addresses that are notified."""

from datetime import timedelta
from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from accounts.models import User
from integrations.alerts.channels import NotSentError, send_test
from integrations.alerts.handling import QUIET, keep_quiet, put_off, quiet_until, see_to
from integrations.alerts.models import Alert
from integrations.alerts.raising import clear_alerts
from partner_portal.core.admin_base import BaseAdmin, Lookups, confirm_action, link_to
from partner_portal.core.admin_sections import Section
from partner_portal.core.english import english as _

OPERATE = "alerts.change_alert"


class OpenFilter(admin.SimpleListFilter):
    """A filter for alerts that nobody has dealt with yet, and for those of them that are to be done now."""

    title = _("state")
    parameter_name = "open"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Lookups:
        return [("now", _("to do now")), ("mine", _("I see to it")), ("yes", _("open")), ("off", _("put off"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        now = timezone.now()
        match self.value():
            case "now":
                return Alert.objects.to_do(now) & queryset
            case "mine":
                return queryset.filter(cleared_at=None, assignee=request.user)
            case "yes":
                return queryset.filter(cleared_at=None)
            case "off":
                return queryset.filter(cleared_at=None, snoozed_until__gt=now)
        return queryset


@admin.register(Alert)
class AlertAdmin(BaseAdmin):
    menu = Section.TODAY.at(1)
    list_display = ("raised_at", "kind", "text", "connection_link", "assignee", "snoozed_until", "cleared_at")
    list_filter = (OpenFilter, "kind")
    quick_filters = (
        (_("to do now"), "open=now"),
        (_("I see to it"), "open=mine"),
        (_("put off"), "open=off"),
        (_("open: failed calls"), "open=yes&kind__exact=call"),
    )
    list_select_related = ("connection__application", "connection__location", "assignee")
    sortable_by = ()
    ordering = ("-pk",)
    actions = ("take", "snooze", "snooze_day", "clear")
    change_list_template = "admin/alerts/alert_list.html"
    fields = ("text", ("kind", "connection_link"), ("raised_at", "cleared_at", "snoozed_until"), "assignee", "note")
    readonly_fields = ("text", "kind", "connection_link", "raised_at", "cleared_at", "snoozed_until")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer only active staff as the person who sees to an alert."""
        kwargs["queryset"] = User.objects.filter(is_staff=True, is_active=True).order_by("email")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        widgets = {"note": forms.Textarea(attrs={"rows": 4, "cols": 60})}
        return super().get_form(request, obj, change, **{"widgets": widgets, **kwargs})

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save only what was typed: a worker may have announced or cleared the alert meanwhile."""
        obj.save(update_fields=form.changed_data)

    @admin.display(description=_("connection"))
    def connection_link(self, alert: Alert) -> SafeString | str:
        return link_to(alert.connection)

    @confirm_action(_("I see to it"), _("Others see your name at the chosen alerts."), permission=OPERATE)
    def take(self, request: HttpRequest, chosen: QuerySet[Alert]) -> str:
        see_to(chosen, cast("User", request.user))
        return str(_("You see to it."))

    @confirm_action(
        _("Put off for 4 hours"), _("If it is still open then, it is told once more."), permission=OPERATE
    )
    def snooze(self, _request: HttpRequest, chosen: QuerySet[Alert]) -> str:
        put_off(chosen, timedelta(hours=4))
        return str(_("Put off."))

    @confirm_action(_("Put off for a day"), _("If it is still open then, it is told once more."), permission=OPERATE)
    def snooze_day(self, _request: HttpRequest, chosen: QuerySet[Alert]) -> str:
        put_off(chosen, timedelta(days=1))
        return str(_("Put off."))

    @confirm_action(_("Clear"), _("The chosen alerts are dealt with."), permission=OPERATE)
    def clear(self, _request: HttpRequest, chosen: QuerySet[Alert]) -> str:
        clear_alerts(pk__in=[alert.pk for alert in chosen])
        return str(_("Cleared."))

    def is_offered(self, action: str, row: Any) -> bool:
        return row.cleared_at is None

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        may = request.user.has_perm(OPERATE)
        more = {
            "may_operate": may,
            "may_test": may and bool(settings.ALERT_URLS),
            "quiet_until": quiet_until(timezone.now()),
        }
        return super().changelist_view(request, {**more, **(extra_context or {})})

    def get_urls(self) -> list[URLPattern]:
        own = {"test": self.test, "quiet": self.quiet}
        paths = [
            path(f"{name}/", self.admin_site.admin_view(require_POST(view)), name=f"alerts_alert_{name}")
            for name, view in own.items()
        ]
        return [*paths, *super().get_urls()]

    def test(self, request: HttpRequest) -> HttpResponse:
        """Send a test message to each address of `ALERT_URLS` now, and say who took it."""
        _insist_on_right(request)
        try:
            messages.success(request, _("Taken by: %s.") % ", ".join(send_test()))
        except NotSentError as error:
            messages.error(request, str(error))
        return redirect("admin:alerts_alert_changelist")

    def quiet(self, request: HttpRequest) -> HttpResponse:
        """Silence all alerts for an hour, or end the silence."""
        _insist_on_right(request)
        now = timezone.now()
        keep_quiet(None if quiet_until(now) else now + QUIET)
        return redirect("admin:alerts_alert_changelist")


def _insist_on_right(request: HttpRequest) -> None:
    if not request.user.has_perm(OPERATE):
        raise PermissionDenied
