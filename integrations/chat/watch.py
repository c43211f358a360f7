"""Watch checks for chat panels and signals that no waiting call sends to Altegio."""

from datetime import datetime

from django.db.models import QuerySet

from integrations.chat.chat_signals import TOO_LATE
from integrations.chat.models import ChatSignal
from integrations.chat.panels import InstallPanel
from integrations.outbox.watch import key_of, unfinished
from partner_portal.core.watch import register_check


def _untold_signals(now: datetime) -> QuerySet[ChatSignal]:
    return ChatSignal.objects.filter(~unfinished(key=key_of("chat", "pk")), state=ChatSignal.State.QUEUED)


def _end(signal: ChatSignal) -> None:
    """End a signal whose call is gone as too late: a signal is worth nothing after its hour."""
    signal.end(ChatSignal.State.FAILED, str(TOO_LATE))


register_check("chat panel: queued", InstallPanel.untold, InstallPanel.tell_again)
register_check("chat signal: queued", _untold_signals, _end)
