"""The admin pages of applications and locations, and the import of each feature's own admin module."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

import integrations.alerts.admin
import integrations.backoffice.admin.connections
import integrations.backoffice.admin.outgoing_calls
import integrations.backoffice.admin.state_changes
import integrations.chat.admin
import integrations.connect.admin
import integrations.contract_drift.admin
import integrations.lifecycle.admin
import integrations.location_profiles.admin
import integrations.messaging.admin
import integrations.messaging.message_admin
import integrations.partner_events.admin
import integrations.reconciliation.admin
import integrations.sender_names.admin
import integrations.telephony.admin
import integrations.user_tokens.admin  # noqa: F401 - registers the features' screens
from integrations.backoffice.admin.application_form import ApplicationForm
from integrations.connections.models import Application, Location
from partner_portal.core.admin_base import BaseAdmin, ReadOnlyAdmin, link_to
from partner_portal.core.admin_sections import Section
from partner_portal.core.english import english as _

admin.site.site_header = _("Altegio partner portal")
admin.site.site_title = _("Partner portal")
admin.site.index_title = _("Control room")


@admin.register(Application)
class ApplicationAdmin(BaseAdmin):
    menu = Section.INTEGRATIONS.at(1)
    list_display = (
        "name",
        "altegio_id",
        "kind",
        "hold_activations",
        "is_personal_data_access_needed",
        "takes_messages",
    )
    list_filter = ("kind",)
    form = ApplicationForm

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the fields with those of the brand in a section of their own at the end."""
        ((title, options),) = super().get_fieldsets(request, obj)
        brand = [name for name in options["fields"] if name.startswith("brand_")]
        rest = [name for name in options["fields"] if name not in brand]
        about = {"fields": brand, "description": _("What owners see. What is empty is as in the environment.")}
        return [(title, {**options, "fields": rest}), (_("Brand"), about)]


@admin.register(Location)
class LocationAdmin(ReadOnlyAdmin):
    menu = Section.CONNECTIONS.at(2)
    list_display = ("title_or_id", "altegio_id", "chain", "city", "country", "phone", "fetched_at")
    search_fields = ("=altegio_id", "title__istartswith", "phone__startswith")
    search_help_text = _("A location's number, or the beginning of its title or phone number")
    list_select_related = ("chain",)
    ordering = ("-pk",)
    readonly_fields = ("connections_list",)

    @admin.display(description=_("location"))
    def title_or_id(self, location: Location) -> str:
        return str(location)

    @admin.display(description=_("connections"))
    def connections_list(self, location: Location) -> SafeString:
        shown = location.connections.select_related("application", "location", "owner").order_by("-pk")[:50]
        rows = ((link_to(row), row.get_state_display(), row.owner or "–") for row in shown)
        return format_html_join("", "<div>{} — {} ({})</div>", rows)
