"""Changes of a connection's state: one function makes them, one table says which state may follow which."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from integrations.connections.models import Connection, ConnectionChange, EndedBy, State
from integrations.connections.signals import connection_changed, connections_changed, details_changed
from integrations.connections.window import clock_tolerance
from partner_portal.core.extension_points import ExtensionPoint
from partner_portal.core.fast_insert import insert

if TYPE_CHECKING:
    from accounts.models import User
    from integrations.outbox.models import OutgoingCall

MAY_FOLLOW: dict[State, frozenset[State]] = {
    State.GRANTED: frozenset({State.ACTIVE, State.FROZEN, State.EXPIRED, State.FAILED, State.CONFLICT}),
    State.CONFLICT: frozenset({State.GRANTED, State.ACTIVE, State.FROZEN, State.FAILED}),
    State.ACTIVE: frozenset({State.FROZEN, State.UNINSTALLED}),
    State.FROZEN: frozenset({State.ACTIVE, State.UNINSTALLED}),
    # Staff may try again, and Altegio may turn out to have accepted after all.
    State.EXPIRED: frozenset({State.GRANTED, State.ACTIVE, State.FROZEN}),
    State.FAILED: frozenset({State.GRANTED, State.ACTIVE, State.FROZEN}),
    # Reconciliation may find a connection live that was believed ended.
    State.UNINSTALLED: frozenset({State.ACTIVE, State.FROZEN}),
}


COLUMNS = ExtensionPoint[Callable[[Connection, State], None]](
    "columns of a connection",
    "Brings a connection's own columns to its new state, before anybody is told of it.",
)


@dataclass(frozen=True)
class Change:
    """A connection whose state has changed; `before` is None if it has just begun."""

    connection: Connection
    before: State | None
    after: State


class TransitionNotAllowedError(Exception):
    """Raised when a state may not follow the present one; `str()` says which."""


def connection_of(call: "OutgoingCall") -> Connection:
    """Return the connection of a call, with its application and location."""
    return Connection.objects.select_related("application", "location").get(calls=call.pk)


def lock(connection_id: int) -> Connection:
    """Return the connection, locked until the transaction ends. Changes begin with this.

    Keys never change, so every lock here and elsewhere excludes the key (`no_key`): rows that refer to a locked one
    may be written at the same time, and such writes cause no deadlock.
    """
    return _locked(Connection.objects.all()).get(pk=connection_id)


def lock_each(connections: QuerySet[Connection]) -> list[Connection]:
    """Return many connections, locked in the fixed order."""
    return list(_locked(connections).order_by("pk"))


def _locked(connections: QuerySet[Connection]) -> QuerySet[Connection]:
    held = connections.select_for_update(of=("self",), no_key=True)
    return held.select_related("application", "location", "claimant", "owner")


def lock_with_place(connection_id: int) -> Connection:
    """Lock the connections beside it, then the connection, and return it: Altegio's answer may change the others."""
    place = Connection.objects.same_place(Connection.objects.get(pk=connection_id))
    hold(place.filter(~Q(state__in=(State.EXPIRED, State.FAILED)) | Q(pk=connection_id)))
    return lock(connection_id)


def hold(connections: QuerySet[Connection]) -> list[int]:
    """Lock connections in the fixed order, and return their keys. An update of many would lock them in any order."""
    held = connections.select_for_update(of=("self",), no_key=True).order_by("pk")
    return list(held.values_list("pk", flat=True))


def touch(connections: QuerySet[Connection]) -> list[int]:
    """Mark connections as changed, because related data shown with them changes: title, chain, or the owner's
    address.

    Call it before that change: connections are locked first, as everywhere. Returns their keys.
    """
    keys = hold(connections)
    Connection.objects.filter(pk__in=keys).update(updated_at=timezone.now())
    return keys


@contextmanager
def changing_details(connections: QuerySet[Connection]) -> Iterator[None]:
    """Wrap a change of their owner, title or partner's id: `touch` before it, `details_changed` after it."""
    keys = touch(connections)
    yield
    tell_details(keys)


def tell_details(keys: Sequence[int]) -> None:
    """Send `details_changed`: the owner, the title or the partner's id of these has changed."""
    if keys:
        details_changed.send(sender=Connection, keys=keys)


def changed_since(changes: QuerySet[ConnectionChange], moment: datetime) -> bool:
    """Return whether one of `changes` may be later than `moment`, at which Altegio was asked.

    A change dated further in the future than two clocks may differ was made before the clock was set back, so it is
    ignored. A question dated in the future may be older than any change, so the answer is True.
    """
    now = timezone.now()
    return moment > now or changes.filter(at__gt=moment, at__lte=now + clock_tolerance()).exists()


def record_begun(connections: Sequence[Connection], why: str) -> None:
    """Record the first state of these connections, just stored, in a constant number of queries."""
    changes = [ConnectionChange(connection=each, to_state=each.state, why=why[:500]) for each in connections]
    insert(changes)
    begun = [Change(connection, None, State(connection.state)) for connection in connections]
    connections_changed.send(sender=Connection, changes=begun)


def move(connection: Connection, to: State, why: str, *, by: "User | None" = None, **fields: Any) -> None:
    """Change the state of a locked connection, with its record; `fields` change along with it.

    The same state again changes only `fields`. Raises TransitionNotAllowedError if the table above does not allow it,
    or if anybody but staff reopens what staff ended.
    """
    before = State(connection.state)
    _check(connection, to, by)
    changed = {**_columns_of(to, why), **fields} if before != to else fields
    for name, value in changed.items():
        setattr(connection, name, value)
    if changed:
        connection.save(update_fields=list(changed))
    if before != to:
        ConnectionChange.objects.create(connection=connection, from_state=before, to_state=to, why=why[:500], by=by)
        _tell([Change(connection, before, to)])


def move_each(connections: Sequence[Connection], to: State, why: str, **fields: Any) -> None:
    """Do what `move` does for many locked connections, in a constant number of queries; all get the same `fields`."""
    changed = [connection for connection in connections if connection.state != to]
    for connection in changed:
        _check(connection, to, None)
    before = {connection.pk: State(connection.state) for connection in connections}
    columns = {**_columns_of(to, why), **fields}
    for connection in connections:
        for name, value in columns.items():
            setattr(connection, name, value)
    Connection.objects.filter(pk__in=list(before)).update(**columns)
    ConnectionChange.objects.bulk_create(
        [
            ConnectionChange(connection=connection, from_state=before[connection.pk], to_state=to, why=why[:500])
            for connection in changed
        ],
        batch_size=500,
    )
    _tell([Change(connection, before[connection.pk], to) for connection in changed])


def _columns_of(to: State, why: str) -> dict[str, Any]:
    return {"state": to, "reason": why[:500], "frozen_at": timezone.now() if to == State.FROZEN else None}


def _tell(changes: Sequence[Change]) -> None:
    for change in changes:
        # Receivers read the columns and run in any order, so the columns are brought up to date first.
        for bring in COLUMNS:
            bring(change.connection, change.after)
        connection_changed.send(
            sender=Connection, connection=change.connection, before=change.before, after=change.after
        )
    if changes:
        connections_changed.send(sender=Connection, changes=changes)


def _check(connection: Connection, to: State, by: "User | None") -> None:
    before = State(connection.state)
    if before != to and to not in MAY_FOLLOW[before]:
        raise TransitionNotAllowedError(f"A connection that is {before.label} cannot become {to.label}.")
    if before != to and connection.ended_by == EndedBy.STAFF and by is None:
        raise TransitionNotAllowedError("Staff ended this claim: only they may take it up again.")
