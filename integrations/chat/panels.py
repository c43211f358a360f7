"""The chat panel of a location: the last address that the partner named is sent to Altegio (docs/altegio.md §2)."""

from django.db import transaction

from integrations.altegio import requests
from integrations.altegio.requests import ApiRequest
from integrations.chat.models import ChatPanel
from integrations.connections.models import Connection, SyncState
from integrations.connections.transitions import connection_of
from integrations.outbox.call_kinds import register
from integrations.outbox.models import OutgoingCall
from integrations.outbox.queue import queue_newest
from integrations.outbox.synced_rows import SyncKind
from partner_portal.core.english import english as _


def panel_key(connection: Connection) -> str:
    """Return the coalesce key of the calls about a connection's panel."""
    return f"chat_panel:{connection.pk}"


@transaction.atomic
def set_panel(connection: Connection, url: str) -> ChatPanel:
    """Set a page as the location's chat panel, "" for none, and queue the call. Quick changes become one call."""
    installation = connection.installation
    ChatPanel.objects.get_or_create(installation=installation)
    panel = ChatPanel.objects.select_for_update(no_key=True).get(installation=installation)
    panel.url = url
    panel.save(update_fields=["url"])
    tell_panel(panel, connection)
    return panel


def tell_panel(panel: ChatPanel, connection: Connection) -> None:
    """Queue the call to Altegio, in the caller's transaction."""
    panel.set_sync(SyncState.QUEUED)
    queue_newest(
        InstallPanel,
        panel_key(connection),
        ordering_key=connection.ordering_key,
        connection_id=connection.pk,
        panel=panel.pk,
    )


@register
class InstallPanel(SyncKind):
    """The call that sends the panel's address as it stands at the moment of sending; sending it twice is harmless.

    A yes does not mean that the panel is there: Altegio also answers 200 if a limit of its own was reached.
    """

    name = "chat_panel"
    title = _("Chat panel")
    model = ChatPanel
    parameter = "panel"

    def request(self, call: OutgoingCall) -> ApiRequest:
        connection, panel = connection_of(call), ChatPanel.objects.get(pk=call.params["panel"])
        place = connection.location.altegio_id, connection.application.altegio_id
        return requests.install_frame(*place, url=panel.url or None)
