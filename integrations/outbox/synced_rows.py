"""Calls that send Altegio the newest state of a row, which then records whether Altegio has it (`Synced`)."""

from datetime import datetime
from typing import Any, ClassVar

from django.db.models import OuterRef, QuerySet

from integrations.altegio.answers import Answer
from integrations.connections.models import Synced, SyncState
from integrations.outbox.call_kinds import CallKind
from integrations.outbox.models import CallState, OutgoingCall, Priority
from integrations.outbox.watch import unfinished


class SyncKind(CallKind):
    """A call with an installation's row as it stands at the moment of sending; sending it twice is harmless."""

    priority = Priority.SETUP
    idempotent = True
    yes_is_enough = True
    last_write_wins = True
    alert_on_failure = True
    model: ClassVar[type[Synced]]
    # The name of the call's parameter that holds the row's key.
    parameter: ClassVar[str]

    @classmethod
    def untold(cls, now: datetime) -> QuerySet[Any]:
        """Return the rows that wait to be sent and that no call will send, for the watch."""
        application, location = OuterRef("installation__application"), OuterRef("installation__location")
        here = {"connection__application": application, "connection__location": location}
        rows = cls.model._default_manager.filter(sync_state=SyncState.QUEUED)
        return rows.filter(~unfinished(kind=cls.name, **here))

    def accepted(self, call: OutgoingCall, answer: Answer) -> None:
        self._learn(call, SyncState.SYNCED, "")

    def refused(self, call: OutgoingCall, reason: str, answer: Answer) -> None:
        self._learn(call, SyncState.FAILED, reason)

    def still_counts_for(self, row: Any) -> bool:
        """Return whether the call's end is the row's too, while no newer call waits."""
        return True

    def _learn(self, call: OutgoingCall, state: SyncState, error: str) -> None:
        """Write the call's end to its row, unless a newer call waits: then that call's answer counts.

        Code that changes the row locks it first, so that a newer call is seen here.
        """
        row = self.model._default_manager.select_for_update(no_key=True).get(pk=call.params[self.parameter])
        newer = OutgoingCall.objects.filter(coalesce_key=call.coalesce_key, state=CallState.QUEUED)
        if not newer.exists() and self.still_counts_for(row):
            row.set_sync(state, error)
