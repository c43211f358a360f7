"""Asking Altegio what is true about a connection, and believing it.

The one path from Altegio's word to a connection's state, for arrivals, callbacks, staff and sweeps.
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

# Seconds: the clocks of two workers may differ, and the change may seem to come for so long.
ASKED_AGAIN_AFTER = 1.0
NO_STATE = "Its answer holds no state that is known."
# However often an owner comes back: about a connection that was asked about no question is due within so long.
RETURN_RESTS = timedelta(minutes=1)


def ask_status(connection: Connection, *, patient: bool = False, delay: float = 0.0) -> None:
    """Queue the question, due in `delay` seconds; one that waits already serves.

    A `patient` one lets all other calls go first.

    The questions about a connection stand in ordering keys of their own: an activation must not wait for a question,
    nor a question for a patient one.
    """
    ask_status_of_each([connection], patient=patient, delay=delay)


def ask_status_of_each(connections: Iterable[Connection], *, patient: bool = False, delay: float = 0.0) -> None:
    """`ask_status` for many, in a constant number of queries."""
    kind, coalesce_key = (AskPatiently, "check") if patient else (AskStatus, "status")
    _ask(kind, coalesce_key, {each.pk: delay for each in connections})


def ask_status_of_returned(connections: Iterable[Connection]) -> None:
    """Their owner came back: each is asked about, but only so often (`RETURN_RESTS`).

    Keys of their own: what a callback tells is asked about at once, whatever rests here.
    """
    now = timezone.now()
    rests = {each.pk: (each.status_asked_at + RETURN_RESTS - now).total_seconds() for each in connections}
    _ask(AskStatus, "return", {pk: min(max(rest, 0.0), RETURN_RESTS.total_seconds()) for pk, rest in rests.items()})


def _ask(kind: type[CallKind], coalesce_key: str, delays: Mapping[int, float]) -> None:
    """Queue a question about each connection (by key), due in so many seconds."""
    keys = {f"{coalesce_key}:{pk}": (pk, delay) for pk, delay in delays.items()}
    queue_newest_of_each(
        kind, {key: {"ordering_key": key, "connection_id": pk, "delay": delay} for key, (pk, delay) in keys.items()}
    )


@register
class AskStatus(CallKind):
    """docs/altegio.md §2, status: a question that changes nothing at Altegio."""

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
        """Only a refusal that says what is true: a callback waits for it, and nobody else would ask again."""
        return read_status(answer, settings.ALTEGIO_TIME_ZONE) is not None

    def _learn(self, call: OutgoingCall, answer: Answer, why_not: str) -> None:
        """However the question ends: whoever waits for the answer hears it, or that there is none."""
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
    """The same question where nobody waits for the answer."""

    name = "check_status"
    title = _("Question: still connected?")
    priority = Priority.HOUSEKEEPING

    def is_final(self, answer: Answer) -> bool:
        """Any: it would hold up the reconciliation that it belongs to, and comes again with the next round."""
        return True


def apply_status(connection: Connection, status: ConnectionStatus, *, asked_at: datetime) -> None:
    """Bring a locked connection to what Altegio says.

    Only the newest connection of a location is spoken of: the history of older ones stays as it was. But an open
    grant may be that of any whose owner has come again. An answer to a question older than the connection's last
    change may be older than that change: it is asked again.
    """
    if changed_since(connection.changes.all(), asked_at):
        ask_status(connection, delay=ASKED_AGAIN_AFTER)
        return
    before = State(connection.state)
    if _is_newest(connection):
        _apply_state(connection, status)
    if connection.state == State.UNINSTALLED and status.state is AltegioState.PENDING:
        # Also where others claim the location: whose the grant is stands in no order of arrivals.
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
            # An open grant shows that it ended before the grant, at a time that nobody knows.
            ended_by = EndedBy.PORTAL if status.state is AltegioState.PENDING else ""
            why, now = "Altegio says it is not connected.", timezone.now()
            move(connection, State.UNINSTALLED, why, ended_at=now, ended_by=ended_by)
    elif alive and connection.state in (State.EXPIRED, State.FAILED, State.UNINSTALLED):
        found_alive.send(sender=Connection, connection=connection, status=status)


def _is_newest(connection: Connection) -> bool:
    """Return whether no later connection has taken this one's place at Altegio: one alive, or a later grant."""
    return connection.state in LIVE or not Connection.objects.successors(connection).exists()
