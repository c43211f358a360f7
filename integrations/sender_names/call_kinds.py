"""The call that tells Altegio a location's sender names (docs/altegio.md §2)."""

from integrations.altegio import requests
from integrations.altegio.answers import Answer
from integrations.altegio.requests import ApiRequest
from integrations.connections.models import Connection, SyncState
from integrations.connections.transitions import connection_of
from integrations.outbox.call_kinds import CallKind, ObsoleteError, register
from integrations.outbox.models import CallState, OutgoingCall, Priority
from integrations.sender_names.models import IN_FORCE, SenderName, SenderNameList
from partner_portal.core.english import english as _


def coalesce_key_of(connection: Connection) -> str:
    """What the calls about a connection's sender names are about."""
    return f"short_names:{connection.pk}"


@register
class SendSenderNames(CallKind):
    """The whole list as it is at the moment of sending: telling it twice is harmless."""

    name = "short_names"
    title = _("Sender names")
    priority = Priority.SETUP
    idempotent = True
    yes_is_enough = True
    last_write_wins = True
    alert_on_failure = True

    def request(self, call: OutgoingCall) -> ApiRequest:
        connection = connection_of(call)
        in_force = SenderName.objects.filter(list=call.params["list"], state__in=IN_FORCE)
        names = list(in_force.values_list("name", flat=True))
        if not names:
            raise ObsoleteError("No sender name is left, and Altegio takes no empty list.")
        return requests.sender_names(connection.location.altegio_id, connection.application.altegio_id, names)

    def accepted(self, call: OutgoingCall, answer: Answer) -> None:
        self._learn(call, SyncState.SYNCED, "")

    def refused(self, call: OutgoingCall, reason: str, answer: Answer) -> None:
        self._learn(call, SyncState.FAILED, reason)

    def _learn(self, call: OutgoingCall, state: SyncState, error: str) -> None:
        """Whoever changes the list locks it first: a newer call is seen here, and its answer counts."""
        names = SenderNameList.objects.select_for_update(no_key=True).get(pk=call.params["list"])
        newer = OutgoingCall.objects.filter(coalesce_key=call.coalesce_key, state=CallState.QUEUED).exists()
        left = SenderName.objects.filter(list=names, state__in=IN_FORCE).exists()
        if left and not newer:
            names.set_sync(state, error)
