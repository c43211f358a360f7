"""Watch checks for chat panels and signals that no waiting call sends to Altegio."""

from datetime import datetime

from django.db.models import QuerySet

from integrations.chat.chat_signals import TOO_LATE
from integrations.chat.models import ChatPanel, ChatSignal
from integrations.chat.panels import InstallPanel, tell_panel
from integrations.connections.models import Connection, SyncState
from integrations.outbox.watch import key_of, unfinished
from partner_portal.core.watch import register_check


def _tell(panel: ChatPanel) -> None:
    here = Connection.objects.at(panel.installation.application_id, panel.installation.location_id)
    connection = here.live().select_related("application", "location").first()
    if connection is None:
        panel.set_sync(SyncState.FAILED, "This location is not connected.")
    else:
        tell_panel(panel, connection)


def _untold_signals(now: datetime) -> QuerySet[ChatSignal]:
    return ChatSignal.objects.filter(~unfinished(key=key_of("chat", "pk")), state=ChatSignal.State.QUEUED)


def _end(signal: ChatSignal) -> None:
    """End a signal whose call is gone as too late: a signal is worth nothing after its hour."""
    signal.end(ChatSignal.State.FAILED, str(TOO_LATE))


register_check("chat panel: queued", InstallPanel.untold, _tell)
register_check("chat signal: queued", _untold_signals, _end)
