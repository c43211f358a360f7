"""Calls that send Altegio the newest state of a row, which then records whether Altegio has it (`Synced`).

They are sent for live connections only. After an activation Altegio may have lost what the location had before, so
every such row is sent again. They have an order of their own, so that no payment waits behind them.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet, Value
from django.dispatch import receiver
from django.utils.translation import gettext as _

from integrations.altegio.answers import Answer
from integrations.altegio.requests import ApiRequest
from integrations.connections.models import LIVE, NOT_ENDED, UNDECIDED, Connection, State, Synced, SyncState
from integrations.connections.querysets import ConnectionQuerySet
from integrations.connections.signals import connection_changed, connections_changed
from integrations.connections.transitions import Change, connection_of, hold
from integrations.outbox.call_kinds import CALL_KINDS, CallKind, ObsoleteError
from integrations.outbox.models import CallState, OutgoingCall, Priority
from integrations.outbox.queue import queue_newest
from integrations.outbox.watch import unfinished
from partner_portal.core.fast_query import Query

UNSYNCED = (SyncState.QUEUED, SyncState.FAILED)


class SyncKind(CallKind):
    """A call with an installation's row as it stands at the moment of sending; sending it twice is harmless."""

    priority = Priority.SETUP
    idempotent = True
    yes_is_enough = True
    last_write_wins = True
    alert_on_failure = True
    alert_ends_with_connection = True
    model: ClassVar[type[Synced]]
    # The name of the call's parameter that holds the row's key.
    parameter: ClassVar[str]

    @classmethod
    def untold(cls, now: datetime) -> QuerySet[Any]:
        """Return the rows that wait to be sent and that neither a call nor an activation will send, for the watch."""
        application, location = OuterRef("installation__application"), OuterRef("installation__location")
        here = {"connection__application": application, "connection__location": location}
        rows = cls.model._default_manager.filter(sync_state=SyncState.QUEUED)
        connections = Connection.objects.at(application, location)
        awaits_activation = ~Exists(connections.live()) & Exists(connections.undecided())
        return rows.filter(~unfinished(kind=cls.name, **here), ~awaits_activation)

    @classmethod
    def coalesce_key_of(cls, row: Any, connection: Connection) -> str:
        """Return the coalesce key of the calls that send the row for a connection."""
        return f"{cls.name}:{connection.pk}"

    @classmethod
    def connection_for(cls, row: Any) -> Connection | None:
        """Return the live connection for which the row is sent, or else a claim, after whose activation it is sent;
        None if there is neither.
        """
        return cls.connections_of(row).not_ended().current()

    @classmethod
    def connections_of(cls, row: Any) -> ConnectionQuerySet:
        """Return all connections of the row's installation."""
        return Connection.objects.at(row.installation.application_id, row.installation.location_id)

    @classmethod
    def has_content(cls, row: Any) -> bool:
        """Return whether there is anything to send; if not, the end of a call does not change the row."""
        return True

    @classmethod
    @transaction.atomic
    def row_of(cls, connection: Connection, defaults: Mapping[str, Any] | None = None, **fields: Any) -> Any:
        """Return the row with these fields of the connection's installation, creating it if there is none yet.

        An activation on its way tells the rows that it finds, so a new one waits for its end.
        """
        rows: QuerySet[Any] = cls.model._default_manager.all()
        fields["installation"] = connection.installation
        if (found := rows.filter(**fields).first()) is not None:
            return found
        hold(Connection.objects.same_place(connection).not_ended())
        return rows.get_or_create(defaults, **fields)[0]

    @classmethod
    def locked(cls, key: int) -> Any:
        """Return the row locked, so that its changes happen one after another and a newer waiting call is seen."""
        rows: QuerySet[Any] = cls.model._default_manager.select_for_update(of=("self",), no_key=True)
        return rows.select_related("installation").get(pk=key)

    @classmethod
    def tell(cls, row: Any) -> None:
        """Queue the call that sends a locked row to Altegio; quick changes share one call.

        Before the activation the row only waits: `follow_connection` sends it then. Without a connection nothing can
        be sent: the row is set to failed, with the reason.

        The connection is read under the row's lock: an end that is not seen here waits for it, and settles the row.
        """
        connection = cls.connection_for(row)
        if connection is None:
            row.set_sync(SyncState.FAILED, _("This location is not connected."))
            return
        row.set_sync(SyncState.QUEUED)
        if connection.state in LIVE:
            key = cls.coalesce_key_of(row, connection)
            queue_newest(cls, key, ordering_key=key, connection_id=connection.pk, **{cls.parameter: row.pk})

    @classmethod
    @transaction.atomic
    def tell_again(cls, row: Any) -> None:
        """Queue the row once more if its location is connected; else set it to failed."""
        cls.tell(cls.locked(row.pk))

    def request(self, call: OutgoingCall) -> ApiRequest:
        connection = connection_of(call)
        if connection.state not in LIVE:
            raise ObsoleteError(f"The connection is {connection.state}.")
        return self.request_for(connection, call.params[self.parameter])

    def request_for(self, connection: Connection, key: int) -> ApiRequest:
        """Return the request that sends the row with this key, for a live connection."""
        raise NotImplementedError

    def accepted(self, call: OutgoingCall, answer: Answer) -> None:
        self._learn(call, SyncState.SYNCED, "")

    def refused(self, call: OutgoingCall, reason: str, answer: Answer) -> None:
        self._learn(call, SyncState.FAILED, reason)

    def _learn(self, call: OutgoingCall, state: SyncState, error: str) -> None:
        """Write the call's end to its row, unless a newer call waits: then that call's answer counts.

        What an ended connection was told says nothing of what the next one has.
        """
        row = self.locked(call.params[self.parameter])
        newer = OutgoingCall.objects.filter(coalesce_key=call.coalesce_key, state=CallState.QUEUED)
        if self._is_for_live(call, row) and not newer.exists() and self.has_content(row):
            row.set_sync(state, error)

    def _is_for_live(self, call: OutgoingCall, row: Any) -> bool:
        current = self.connection_for(row)
        return current is not None and current.pk == call.connection_id and current.state in LIVE


def _sync_kinds() -> Mapping[str, SyncKind]:
    return {kind.name: kind for kind in CALL_KINDS if isinstance(kind, SyncKind)}


def _rows_at(application: int, location: int) -> QuerySet[Any, Any]:
    here = {"installation__application": application, "installation__location": location}
    first, *others = [
        kind.model._default_manager.filter(**here).values_list(Value(kind.name), "pk")
        for kind in _sync_kinds().values()
    ]
    return first.union(*others, all=True)


# The kind's name and the key of each row of an installation. Most have none, so one query serves all kinds.
_find_rows = Query(_rows_at)


@receiver(connection_changed)
def follow_connection(connection: Connection, before: State, after: State, **_: Any) -> None:
    """Queue every row of the installation when a connection becomes live; settle the waiting ones when it ends.

    What Altegio refused while the connection was frozen is sent again once it is active. So is what is on its way: it
    may have been refused already, and a newer call makes that answer void.
    """
    begins = after in LIVE and before not in LIVE
    thaws = (before, after) == (State.FROZEN, State.ACTIVE)
    ends = before in LIVE and after not in LIVE
    if not (begins or thaws or ends):
        return
    kinds = _sync_kinds()
    # The fixed lock order prevents deadlocks.
    for name, key in sorted(_find_rows.all(connection.application_id, connection.location_id)):
        kind = kinds[name]
        row = kind.locked(key)
        if (begins or (thaws and row.sync_state in UNSYNCED)) and kind.has_content(row):
            kind.tell(row)
        elif ends and row.sync_state == SyncState.QUEUED:
            # Another connection may go on here.
            kind.tell(row)


@receiver(connections_changed)
def settle_what_waited_for_claims(changes: Sequence[Change], **_: Any) -> None:
    """Settle the rows that waited for the activation of claims that have ended: there may be thousands at once."""
    ended = [each.connection for each in changes if each.before in UNDECIDED and each.after not in NOT_ENDED]
    if not ended:
        return
    here = {
        "installation__application__in": {connection.application_id for connection in ended},
        "installation__location__in": {connection.location_id for connection in ended},
    }
    for _name, kind in sorted(_sync_kinds().items()):
        for row in kind.model._default_manager.filter(sync_state=SyncState.QUEUED, **here).order_by("pk"):
            kind.tell_again(row)
