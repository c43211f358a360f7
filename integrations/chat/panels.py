"""The chat panel of a location: the last address that the partner named is sent to Altegio (docs/altegio.md §2)."""

from django.db import transaction

from integrations.altegio import requests
from integrations.altegio.requests import ApiRequest
from integrations.chat.models import ChatPanel
from integrations.connections.models import Connection
from integrations.outbox.call_kinds import register
from integrations.outbox.synced_rows import SyncKind
from partner_portal.core.english import english as _


@register
class InstallPanel(SyncKind):
    """The call that sends the panel's address as it stands at the moment of sending; sending it twice is harmless.

    A yes does not mean that the panel is there: Altegio also answers 200 if a limit of its own was reached.
    """

    name = "chat_panel"
    title = _("Chat panel")
    model = ChatPanel
    parameter = "panel"

    def request_for(self, connection: Connection, key: int) -> ApiRequest:
        panel = ChatPanel.objects.get(pk=key)
        place = connection.location.altegio_id, connection.application.altegio_id
        return requests.install_frame(*place, url=panel.url or None)


@transaction.atomic
def set_panel(connection: Connection, url: str) -> ChatPanel:
    """Set a page as the location's chat panel, "" for none, and queue the call. Quick changes share one call."""
    panel: ChatPanel = InstallPanel.locked(InstallPanel.row_of(connection).pk)
    panel.url = url
    panel.save(update_fields=["url"])
    InstallPanel.tell(panel)
    return panel
