"""The control room of the marketplace; each feature's screens stand beside the feature."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

import integrations.activation.admin
import integrations.connect.admin
import integrations.dashboard.admin
import integrations.outbox.admin  # noqa: F401 - registers the features' screens
from integrations.alarms.models import Alarm
from integrations.alarms.raising import clear_alarms
from integrations.locations.finding import altegio_id, location_like
from integrations.models.application import Application
from integrations.models.place import Chain, Location
from partner_portal.control_room import EvidenceAdmin, Lookups, RoomAdmin, confirmed, link_to

admin.site.site_header = _("Altegio partner portal")
admin.site.site_title = _("Partner portal")
admin.site.index_title = _("Control room")


@admin.register(Application)
class ApplicationAdmin(RoomAdmin):
    list_display = ("name", "altegio_id", "kind", "hold_activations")
    list_filter = ("kind",)


@admin.register(Chain)
class ChainAdmin(EvidenceAdmin):
    list_display = ("title_or_id", "altegio_id", "telephony", "telephony_error")
    list_filter = ("telephony",)
    search_fields = ("altegio_id", "title")
    search_help_text = _("A chain's number, or the beginning of its title")
    ordering = ("-pk",)
    exclude = ("crm_token",)

    def matching(self, term: str) -> Q:
        number = altegio_id(term)
        return Q(title__istartswith=term) if number is None else Q(altegio_id=number)

    @admin.display(description=_("chain"))
    def title_or_id(self, chain: Chain) -> str:
        return str(chain)


@admin.register(Location)
class LocationAdmin(EvidenceAdmin):
    list_display = ("title_or_id", "altegio_id", "chain", "city", "country", "phone", "fetched_at")
    search_fields = ("altegio_id", "title", "phone")
    search_help_text = _("A location's number, or the beginning of its title or phone number")
    list_select_related = ("chain",)
    ordering = ("-pk",)
    readonly_fields = ("connections_list",)

    def matching(self, term: str) -> Q:
        return location_like(term)

    @admin.display(description=_("location"))
    def title_or_id(self, location: Location) -> str:
        return str(location)

    @admin.display(description=_("connections"))
    def connections_list(self, location: Location) -> SafeString:
        shown = location.connections.select_related("application", "location", "owner").order_by("-pk")[:50]
        rows = ((link_to(row), row.get_state_display(), row.owner or "–") for row in shown)
        return format_html_join("", "<div>{} — {} ({})</div>", rows)


class OpenFilter(admin.SimpleListFilter):
    """Alarms that nobody has dealt with yet."""

    title = _("state")
    parameter_name = "open"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Lookups:
        return [("yes", _("open"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(cleared_at=None) if self.value() == "yes" else queryset


@admin.register(Alarm)
class AlarmAdmin(EvidenceAdmin):
    list_display = ("raised_at", "kind", "text", "connection_link", "cleared_at")
    list_filter = (OpenFilter, "kind")
    everyday = ((_("open"), "open=yes"), (_("open: failed calls"), "open=yes&kind__exact=call"))
    list_select_related = ("connection__application", "connection__location")
    ordering = ("-pk",)
    actions = ("clear",)

    @admin.display(description=_("connection"))
    def connection_link(self, alarm: Alarm) -> SafeString | str:
        return link_to(alarm.connection)

    @confirmed(_("Clear"), _("The chosen alarms are dealt with."), permission="integrations.change_alarm")
    def clear(self, _request: HttpRequest, chosen: QuerySet[Alarm]) -> str:
        clear_alarms(pk__in=[alarm.pk for alarm in chosen])
        return str(_("Cleared."))
