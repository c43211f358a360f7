"""Admin screens of chat: which panel stands where, and the state of signals. Their words are only for Altegio."""

from django.contrib import admin
from django.utils.safestring import SafeString

from integrations.chat.models import ChatPanel, ChatSignal
from integrations.connections.installation_admin import OfInstallationAdmin
from partner_portal.core.admin_base import ReadOnlyAdmin, link_to
from partner_portal.core.admin_sections import Section
from partner_portal.core.english import english as _


@admin.register(ChatPanel)
class ChatPanelAdmin(OfInstallationAdmin):
    menu = Section.MESSAGES.at(9)
    list_display = ("installation__location", "installation__application", "url", "sync_state", "sync_error")
    list_filter = ("sync_state",)
    search_fields = ("=installation__location__altegio_id",)
    search_help_text = _("Altegio's location id.")
    list_select_related = ("installation__application", "installation__location")
    ordering = ("-pk",)
    fields = ("application", "location", "url", "sync_state", "sync_error")


@admin.register(ChatSignal)
class ChatSignalAdmin(ReadOnlyAdmin):
    menu = Section.MESSAGES.at(10)
    list_display = ("id", "kind", "state", "location", "received_at", "error")
    list_filter = ("state", "kind")
    search_fields = ("=connection__location__altegio_id",)
    search_help_text = _("Altegio's location id.")
    list_select_related = ("connection__location",)
    ordering = ("-pk",)
    fields = ("location", ("received_at", "kind"), ("state", "error"))
    readonly_fields = ("location",)

    @admin.display(description=_("location"))
    def location(self, signal: ChatSignal) -> SafeString | str:
        return link_to(signal.connection.location)
