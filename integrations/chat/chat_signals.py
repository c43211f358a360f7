"""Chat signals: a client has written, a chat is to stand out or no longer (docs/altegio.md §2)."""

from datetime import datetime, timedelta
from typing import ClassVar

from django.db import transaction

from integrations.altegio import requests
from integrations.altegio.answers import Answer
from integrations.altegio.requests import ApiRequest
from integrations.chat.models import ChatSignal
from integrations.connections.models import Connection
from integrations.connections.transitions import connection_of
from integrations.outbox.call_kinds import CallKind, UnverifiableError, register
from integrations.outbox.models import OutgoingCall, Priority
from integrations.outbox.queue import new_call, queue
from partner_portal.core.english import english as _

NOBODY_KNOWS = _("Nobody can tell whether Altegio did it, and doing it twice would undo it.")
TOO_LATE = _("It could not be told in time.")


@transaction.atomic
def send_signal(connection: Connection, kind: ChatSignal.Kind, *, phone: str, name: str, message: str) -> ChatSignal:
    """Store a signal and queue its call to Altegio. The words stand in one encrypted row, not in the call."""
    signal = ChatSignal.objects.create(connection=connection, kind=kind, phone=phone, name=name, message=message)
    queue_signal(signal)
    return signal


def queue_signal(signal: ChatSignal) -> None:
    """Queue the signal's call, in the caller's transaction; the signals of one connection go in order."""
    call_kind, connection_id = CALL_KIND_OF[ChatSignal.Kind(signal.kind)], signal.connection_id
    ordering_key = f"chat:{connection_id}"
    key = f"chat:{signal.pk}"
    queue([new_call(call_kind, key, ordering_key=ordering_key, connection_id=connection_id, signal=signal.pk)])


class _Signal(CallKind):
    """A call that sends a chat signal; its end, whichever it is, ends the signal too."""

    priority = Priority.NOTIFICATION
    yes_is_enough = True
    # A message an hour old has been read in the panel itself.
    max_age = timedelta(hours=1)
    signal: ClassVar[requests.ChatSignal]

    def request(self, call: OutgoingCall) -> ApiRequest:
        connection, signal = connection_of(call), _signal(call)
        return requests.chat_signal(
            self.signal,
            connection.location.altegio_id,
            connection.application.altegio_id,
            phone=signal.phone,
            name=signal.name,
            message=signal.message,
        )

    def accepted(self, call: OutgoingCall, answer: Answer) -> None:
        _signal(call).end(ChatSignal.State.SENT)

    def refused(self, call: OutgoingCall, reason: str, answer: Answer) -> None:
        _signal(call).end(ChatSignal.State.FAILED, reason)

    def bring_back(self, call: OutgoingCall) -> bool:
        """Return whether the signal is still queued: the words of one that has ended are gone."""
        return ChatSignal.objects.filter(pk=call.params["signal"], state=ChatSignal.State.QUEUED).exists()

    def expired(self, call: OutgoingCall, now: datetime) -> None:
        _signal(call).end(ChatSignal.State.FAILED, str(TOO_LATE))


def _signal(call: OutgoingCall) -> ChatSignal:
    return ChatSignal.objects.get(pk=call.params["signal"])


@register
class NewMessage(_Signal):
    """The call about a new message. It is repeated after an uncertain end: better shown twice than missed."""

    name = "chat_message"
    title = _("Chat message")
    signal = "new_message"
    idempotent = True


@register
class ToggleHighlight(_Signal):
    """The call that toggles a highlight. It flips a state, so one that may have happened is not repeated."""

    name = "chat_highlight"
    title = _("Chat highlight")
    signal = "toggle_highlight"

    def question(self, call: OutgoingCall) -> ApiRequest:
        raise UnverifiableError(NOBODY_KNOWS)


CALL_KIND_OF: dict[ChatSignal.Kind, type[_Signal]] = {
    ChatSignal.Kind.NEW_MESSAGE: NewMessage,
    ChatSignal.Kind.TOGGLE_HIGHLIGHT: ToggleHighlight,
}
