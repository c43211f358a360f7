"""The waiting activation call of each undecided connection: it is sent, asked about, or held back.

Its deadline is the claim's end. Claims change their calls through this module; nothing undecided is without one.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import timedelta

from django.db import transaction
from django.db.models import Case, Exists, OuterRef, QuerySet, Subquery, Value, When
from django.utils import timezone

from accounts.models import User
from integrations.activation.call_kinds import Activate, turns_of
from integrations.connections.models import Connection, EndedBy, State
from integrations.connections.transitions import move, move_each
from integrations.outbox.models import IDLE, UNFINISHED, WAITING, CallState, OutgoingCall, Priority
from integrations.outbox.queue import queue_fresh
from integrations.outbox.queue import wake_a_dispatcher as wake_a_worker
from partner_portal.core.skip_locked import skip_locked

# The least time between two questions about the same claim, however often its owner comes back.
ASKED_AGAIN_AFTER = timedelta(seconds=5)


def undecided_without_call() -> QuerySet[Connection]:
    """Return the undecided connections that nothing will move: they have no waiting activation with a deadline.

    There should never be one; the watch queues `Activate.again` for each that it finds, or ends it after its window.
    """
    waiting = OutgoingCall.objects.filter(
        connection=OuterRef("pk"), kind=Activate.name, state__in=UNFINISHED, deadline_at__isnull=False
    )
    return Connection.objects.undecided().filter(~Exists(waiting))


def end_claim(
    connection: Connection, why: str, *, ended_by: EndedBy = EndedBy.PORTAL, by: User | None = None
) -> None:
    """End an undecided claim, and its call with it; one that is being sent is left to its answer."""
    now = timezone.now()
    _change([connection], IDLE, state=CallState.CANCELLED, reason=why[:500], finished_at=now)
    move(connection, State.FAILED, why, by=by, ended_at=now, ended_by=ended_by)


def end_claims(connections: Sequence[Connection], why: str) -> None:
    """Do what `end_claim` does for many claims, in a constant number of queries, apart from those of receivers."""
    now, by = timezone.now(), EndedBy.PORTAL
    _change(connections, IDLE, state=CallState.CANCELLED, reason=why[:500], finished_at=now)
    move_each(connections, State.FAILED, why, ended_at=now, ended_by=by)


def ask_first(connections: Sequence[Connection]) -> None:
    """Let the activations that may be sent at any moment ask Altegio first."""
    _change(connections, (CallState.QUEUED,), state=CallState.UNCONFIRMED)


def put_to_the_front(connections: Sequence[Connection], turns: Sequence[int]) -> None:
    """Move the calls of a claimant who is proven now in front of those of unproven ones; each gets its turn among the
    proven.
    """
    if not connections:
        return
    now = timezone.now()
    of_turn: dict[int, list[int]] = defaultdict(list)
    for connection, turn in zip(connections, turns, strict=True):
        of_turn[turn].append(connection.pk)
    new_turn = Case(*(When(connection__in=keys, then=Value(turn)) for turn, keys in of_turn.items()))
    # A call that is being sent may wait again.
    _change(connections, (CallState.HELD, CallState.SENDING), priority=Priority.ACTIVATION, turn=new_turn)
    _change(connections, WAITING, priority=Priority.ACTIVATION, turn=new_turn, due_at=now)


def wake(connections: Sequence[Connection]) -> None:
    """Let Altegio be asked about these claims soon, so that they go on as it answers. Add a missing call to each."""
    held = [each for each in connections if each.application.hold_activations]
    asked = [each for each in connections if not each.application.hold_activations]
    due_at = timezone.now() + ASKED_AGAIN_AFTER
    _change(asked, (CallState.HELD,), state=CallState.UNCONFIRMED, due_at=due_at)
    renew_deadlines([*held, *asked])
    unfinished = OutgoingCall.objects.filter(connection__in=_keys(connections), kind=Activate.name)
    waiting = set(unfinished.filter(state__in=UNFINISHED).values_list("connection", flat=True))
    missing = [each for each in connections if each.pk not in waiting]
    if missing:
        turns = turns_of(missing)
        queue_fresh(Activate.again(each, turn=turns[each.pk]) for each in missing)
    transaction.on_commit(wake_a_worker)


def renew_deadlines(connections: Sequence[Connection]) -> None:
    """Give the calls the deadlines of their connections' new windows, which are stored."""
    window = Connection.objects.filter(pk=OuterRef("connection")).values("deadline_at")
    _change(connections, IDLE, deadline_at=Subquery(window))


def _change(connections: Sequence[Connection], states: Collection[CallState], **fields: object) -> None:
    """Change the calls of these locked connections that are in one of `states`.

    A call that a worker or the sweep is ending at this moment is skipped: that transaction waits for the connection,
    and will find its new state. Waiting for it here would be a deadlock.
    """
    if not connections:
        return
    calls = OutgoingCall.objects.filter(connection__in=_keys(connections), kind=Activate.name, state__in=states)
    found = list(skip_locked(calls, no_key=True).values_list("pk", flat=True))
    OutgoingCall.objects.filter(pk__in=found, state__in=states).update(**fields)


def _keys(connections: Sequence[Connection]) -> list[int]:
    return [each.pk for each in connections]
