"""The call that tells Altegio a location's sender names (docs/altegio.md §2)."""

from django.utils.translation import gettext_lazy as _

from integrations.altegio import calls
from integrations.altegio.answers import Answer
from integrations.altegio.calls import Call
from integrations.connections import connection_of
from integrations.models.connection import Connection
from integrations.models.sync import SyncState
from integrations.outbox.kinds import CallKind, Obsolete, register
from integrations.outbox.models import CallState, OutgoingCall, Priority
from integrations.sender_names.models import IN_FORCE, SenderName, SenderNameList


def subject_of(connection: Connection) -> str:
    """What the calls about a connection's sender names are about."""
    return f"short_names:{connection.pk}"


@register
class SendSenderNames(CallKind):
    """The whole list as it is at the moment of sending: telling it twice is harmless."""

    name = "short_names"
    title = _("Sender names")
    priority = Priority.SETUP
    repeatable = True
    sets_state = True
    worth_an_alarm = True

    def request(self, call: OutgoingCall) -> Call:
        connection = connection_of(call)
        in_force = SenderName.objects.filter(list=call.params["list"], state__in=IN_FORCE)
        names = list(in_force.values_list("name", flat=True))
        if not names:
            raise Obsolete("No sender name is left, and Altegio takes no empty list.")
        return calls.sender_names(connection.location.altegio_id, connection.application.altegio_id, names)

    def accepted(self, call: OutgoingCall, answer: Answer) -> None:
        self._learn(call, SyncState.SYNCED, "")

    def refused(self, call: OutgoingCall, reason: str, answer: Answer) -> None:
        self._learn(call, SyncState.FAILED, reason)

    def _learn(self, call: OutgoingCall, state: SyncState, error: str) -> None:
        """Whoever changes the list locks it first: a newer call is seen here, and its answer counts."""
        names = SenderNameList.objects.select_for_update(no_key=True).get(pk=call.params["list"])
        newer = OutgoingCall.objects.filter(subject=call.subject, state=CallState.QUEUED).exists()
        left = SenderName.objects.filter(list=names, state__in=IN_FORCE).exists()
        if left and not newer:
            names.set_sync(state, error)
