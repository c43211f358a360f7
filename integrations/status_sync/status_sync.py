"""The status call for a connection, and the application of Altegio's answer to the connection's state.

This is the only path from Altegio's answer to a connection's state, for arrivals, callbacks, staff and sweeps.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from integrations.altegio.answers import AltegioState, Answer, ConnectionStatus, no_answer, read_status
from integrations.altegio.requests import ApiRequest
from integrations.connections.models import LIVE, Connection, EndedBy, State
from integrations.connections.signals import found_alive, granted_again, status_synced, status_unknown
from integrations.connections.transitions import changed_since, connection_of, lock, move
from integrations.outbox.call_kinds import CallKind, register
from integrations.outbox.models import OutgoingCall, Priority
from integrations.outbox.queue import queue_newest_of_each
from integrations.status_sync.question import status_question
from partner_portal.core.english import english as _

# In seconds. The clocks of two workers may differ by this much, so that a change may seem later than it was.
ASKED_AGAIN_AFTER = 1.0
NO_STATE = "Its answer holds no state that is known."
# However often an owner comes back, a connection that was asked about is not asked about again within this time.
RETURN_RESTS = timedelta(minutes=1)


def ask_status(connection: Connection, *, patient: bool = False, delay: float = 0.0) -> None:
    """Queue the status call for a connection, due in `delay` seconds, unless one is queued already.

    A `patient` one has the lowest priority.

    Status calls have ordering keys of their own, because an activation must not wait for one, and an ordinary one
    must not wait for a patient one.
    """
    ask_status_of_each([connection], patient=patient, delay=delay)


def ask_status_of_each(connections: Iterable[Connection], *, patient: bool = False, delay: float = 0.0) -> None:
    """Do the same as `ask_status` for many connections, in a constant number of queries."""
    kind, coalesce_key = (AskPatiently, "check") if patient else (AskStatus, "status")
    _ask(kind, coalesce_key, {each.pk: delay for each in connections})


def ask_status_of_returned(connections: Iterable[Connection]) -> None:
    """Queue the status calls for connections whose owner came back, each at most once in `RETURN_RESTS`.

    These calls have coalesce keys of their own, so that one that rests here does not delay a callback's.
    """
    now = timezone.now()
    rests = {each.pk: (each.status_asked_at + RETURN_RESTS - now).total_seconds() for each in connections}
    _ask(AskStatus, "return", {pk: min(max(rest, 0.0), RETURN_RESTS.total_seconds()) for pk, rest in rests.items()})


def _ask(kind: type[CallKind], coalesce_key: str, delays: Mapping[int, float]) -> None:
    """Queue a status call of this kind for each connection; `delays` holds seconds by the connection's key."""
    keys = {f"{coalesce_key}:{pk}": (pk, delay) for pk, delay in delays.items()}
    queue_newest_of_each(
        kind, {key: {"ordering_key": key, "connection_id": pk, "delay": delay} for key, (pk, delay) in keys.items()}
    )


@register
class AskStatus(CallKind):
    """An outgoing call that asks for a connection's status (docs/altegio.md §2, status); it changes nothing there."""

    name = "ask_status"
    title = _("Question: what is true?")
    priority = Priority.CHECK
    idempotent = True
    max_age = timedelta(days=1)

    def request(self, call: OutgoingCall) -> ApiRequest:
        connection = connection_of(call)
        return status_question(connection.application, connection.location)

    def accepted(self, call: OutgoingCall, answer: Answer) -> None:
        self._learn(call, answer, NO_STATE)

    def refused(self, call: OutgoingCall, reason: str, answer: Answer) -> None:
        self._learn(call, answer, reason)

    def expired(self, call: OutgoingCall, now: datetime) -> None:
        self._learn(call, no_answer(call.reason), call.reason)

    def is_final(self, answer: Answer) -> bool:
        """Return whether the refusal tells the status; otherwise the call is repeated, because a callback waits."""
        return read_status(answer, settings.ALTEGIO_TIME_ZONE) is not None

    def _learn(self, call: OutgoingCall, answer: Answer, why_not: str) -> None:
        """Apply the status in the answer, or send `status_unknown` if there is none, so that nobody waits in vain."""
        if call.connection_id is None:
            return
        status = read_status(answer, settings.ALTEGIO_TIME_ZONE)
        if status is None:
            status_unknown.send(sender=Connection, connection_id=call.connection_id, why=why_not)
        else:
            asked_at = call.attempts.latest("number").started_at
            apply_status(lock(call.connection_id), status, asked_at=asked_at)


@register
class AskPatiently(AskStatus):
    """The same call at the lowest priority, for cases in which nobody waits for the answer."""

    name = "check_status"
    title = _("Question: still connected?")
    priority = Priority.HOUSEKEEPING

    def is_final(self, answer: Answer) -> bool:
        """Return True: a repeated call would delay its reconciliation, and the next round asks again."""
        return True


def apply_status(connection: Connection, status: ConnectionStatus, *, asked_at: datetime) -> None:
    """Bring a locked connection to the state that Altegio reports; `asked_at` is when the question was sent.

    The status concerns only the newest connection of an application at a location; older ones keep their state. But
    an open grant may belong to any ended connection whose owner has come again. If the connection changed after the
    question was sent, the answer may be outdated, so Altegio is asked again.
    """
    if changed_since(connection.changes.all(), asked_at):
        ask_status(connection, delay=ASKED_AGAIN_AFTER)
        return
    before = State(connection.state)
    if _is_newest(connection):
        _apply_state(connection, status)
    if connection.state == State.UNINSTALLED and status.state is AltegioState.PENDING:
        # Sent even if others claim the location, because the order of arrivals does not say whose grant it is.
        granted_again.send(sender=Connection, connection=connection, status=status)
    connection.status_asked_at = asked_at
    connection.save(update_fields=["status_asked_at"])
    status_synced.send(sender=Connection, connection=connection, status=status, before=before)


def _apply_state(connection: Connection, status: ConnectionStatus) -> None:
    alive = status.state in (AltegioState.ACTIVE, AltegioState.FROZEN)
    if connection.state in LIVE:
        if alive:
            to = State.FROZEN if status.state is AltegioState.FROZEN else State.ACTIVE
            move(connection, to, f"Altegio says: {to.label}.")
        else:
            # An open grant shows that the connection ended before that grant, at an unknown time.
            ended_by = EndedBy.PORTAL if status.state is AltegioState.PENDING else ""
            why, now = "Altegio says it is not connected.", timezone.now()
            move(connection, State.UNINSTALLED, why, ended_at=now, ended_by=ended_by)
    elif alive and connection.state in (State.EXPIRED, State.FAILED, State.UNINSTALLED):
        found_alive.send(sender=Connection, connection=connection, status=status)


def _is_newest(connection: Connection) -> bool:
    """Return whether no other connection, live or with a later grant, has taken this one's place at Altegio."""
    return connection.state in LIVE or not Connection.objects.successors(connection).exists()
