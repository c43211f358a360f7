"""The activation call: sent within the window, once, and asked about whenever its end is not certain."""

import uuid
from collections.abc import Collection
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from integrations.activation.adoption import adopt_in_place
from integrations.activation.binding import (
    accept,
    end_dispute,
    fail,
    is_outdated,
    note_clock,
    note_open_grant,
    show_as_taken,
    tell_of_disputes,
    words_about,
)
from integrations.activation.claim_order import facts_of, note_grant
from integrations.activation.sent_settings import sent_settings
from integrations.activation.status_decision import DISPUTED, judge
from integrations.activation.taken_settings import note_active_at_the_grant
from integrations.alerts.windows import begin_window
from integrations.altegio import requests
from integrations.altegio.answers import AltegioState, Answer, ConnectionStatus, read_status
from integrations.altegio.requests import ApiRequest
from integrations.connections.models import UNDECIDED, Connection, EndedBy, State
from integrations.connections.transitions import connection_of, lock, lock_with_place, move
from integrations.connections.window import activation_deadline, clock_tolerance
from integrations.outbox.call_kinds import (
    AskAgain,
    AskFirstError,
    CallKind,
    CannotTell,
    Happened,
    Hold,
    NotToHappen,
    ObsoleteError,
    SendAgain,
    Verdict,
    register,
)
from integrations.outbox.models import Attempt, CallState, OutgoingCall, Priority
from integrations.outbox.queue import new_call, queue_fresh
from integrations.outbox.settling import may_have_happened
from integrations.status_sync.question import status_question
from integrations.status_sync.status_sync import ask_status
from partner_portal.core.english import english as _


@register
class Activate(CallKind):
    """The call that activates an installation within its window (docs/altegio.md §2, activate)."""

    name = "activate"
    title = _("Activation")
    priority = Priority.ACTIVATION
    # Altegio refuses a second activation with a 403, which is verified; and the hour leaves no time to wait.
    settles_at_once = True

    @classmethod
    def new(cls, connection: Connection, *, state: CallState = CallState.QUEUED, turn: int = 0) -> OutgoingCall:
        """Return the activation call of a claim: sent, asked about first (UNCONFIRMED), or held until the claim's
        end.
        """
        return cls._call(connection, state=state, turn=turn)

    @classmethod
    def again(cls, connection: Connection, *, turn: int) -> OutgoingCall:
        """Return a later call, which asks before it sends; it is held if staff release what the application sends.

        `turn` is the earlier call's (`turns_of`): a large backlog goes no further ahead because its window is over.
        """
        is_held = connection.application.hold_activations
        return cls._call(connection, state=CallState.HELD if is_held else CallState.UNCONFIRMED, turn=turn)

    @classmethod
    def by_staff(cls, connection: Connection, *, decided: bool) -> OutgoingCall:
        """Return a later call, on behalf of staff; it asks before it sends. `decided`: staff gave the claimant the
        location.
        """
        return cls._call(connection, state=CallState.UNCONFIRMED, decided=decided)

    @classmethod
    def _call(cls, connection: Connection, *, state: CallState, turn: int = 0, decided: bool = False) -> OutgoingCall:
        # The key does not count earlier calls: they are deleted some day, and a key must not come twice. A constraint
        # of the table allows only one waiting call for each connection.
        call = new_call(
            cls,
            f"activate:{connection.pk}:{uuid.uuid4().hex}",
            ordering_key=connection.ordering_key,
            connection_id=connection.pk,
            deadline_at=connection.deadline_at,
            state=state,
            **({"decided": True} if decided else {}),
        )
        call.turn = turn
        call.priority = Priority.ACTIVATION if connection.is_proven or decided else Priority.UNPROVEN
        return call

    def request(self, call: OutgoingCall) -> ApiRequest:
        connection = connection_of(call)
        if connection.state == State.CONFLICT:
            raise AskFirstError("The location is claimed or held by somebody else.")
        if connection.state != State.GRANTED:
            raise ObsoleteError(f"The connection is {connection.state}.")
        sent = sent_settings(connection)
        return requests.activate(
            connection.location.altegio_id,
            connection.application.altegio_id,
            api_key=sent.api_key,
            webhook_urls=[sent.event_address],
            extras=connection.application.activation_extras,
        )

    def must_ask(self, call: OutgoingCall) -> bool:
        """Return whether the call has waited: since it was queued, or Altegio asked, somebody else may have given a
        grant.

        A time in the future counts as a wait too: the clock was set back, so the wait is unknown.
        """
        since = call.created_at
        if call.attempt_count > 1:
            asked = call.attempts.filter(purpose=Attempt.Purpose.ASK).order_by("number").last()
            since = asked.started_at if asked else since
        return abs(timezone.now() - since) > clock_tolerance()

    def question(self, call: OutgoingCall) -> ApiRequest:
        connection = connection_of(call)
        return status_question(connection.application, connection.location)

    def needs_verification(self, answer: Answer) -> bool:
        """Return whether the refusal is a 403: it may mean that it is active already, so the status is asked."""
        return answer.status_code == 403

    def judge(self, call: OutgoingCall, answer: Answer) -> Verdict:
        status = read_status(answer, settings.ALTEGIO_TIME_ZONE)
        if status is None:
            return CannotTell()
        note_clock(status)
        connection = lock_with_place(connection_of(call).pk)
        if is_outdated(connection, asked_at=call.attempts.latest("number").started_at):
            return CannotTell()
        if status.state is AltegioState.PENDING:
            note_open_grant(connection, status)
            # A holder who came back may dispute it now.
            connection = lock(connection.pk)
        return _judge(connection, call, status)

    def accepted(self, call: OutgoingCall, answer: Answer) -> None:
        status = read_status(answer, settings.ALTEGIO_TIME_ZONE)
        frozen = status is not None and status.state is AltegioState.FROZEN
        connection = lock_with_place(connection_of(call).pk)
        accept(connection, State.FROZEN if frozen else State.ACTIVE, "Altegio accepted the activation.")
        if status is not None and _was_active_at_the_grant(call):
            note_active_at_the_grant(connection)
        if _came_again(connection, call):
            ask_status(connection)

    def refused(self, call: OutgoingCall, reason: str, answer: Answer) -> None:
        fail(lock(connection_of(call).pk), reason, words_about(call))

    def bring_back(self, call: OutgoingCall) -> bool:
        """Return False: an undecided claim has another call already (its watch), and an ended one is tried again
        itself.
        """
        return False

    def expired(self, call: OutgoingCall, now: datetime) -> None:
        connection = lock(connection_of(call).pk)
        if connection.state not in UNDECIDED:
            return
        later = activation_deadline(connection.last_arrived_at)
        came_again = connection.arrived_at < connection.last_arrived_at and connection.deadline_at < later
        if connection.state == State.GRANTED and came_again and now < later:
            # Connect was pressed again, and a new consent has an hour of its own.
            begin_window(connection, later)
        if now < connection.deadline_at:
            queue_fresh([self._once_more(connection, call)])
            return
        to = State.EXPIRED if connection.state == State.GRANTED else State.FAILED
        why = WINDOW_CLOSED if to is State.EXPIRED else STILL_TAKEN
        why, words = f"{why} {call.reason}".strip(), words_about(call)
        move(connection, to, why, altegio_words=words, ended_at=now, ended_by=EndedBy.WINDOW)
        if call.attempts.exists():
            # The last answer may have been lost, so Altegio is asked.
            ask_status(connection)

    def _once_more(self, connection: Connection, ended: OutgoingCall) -> OutgoingCall:
        """Return a call for a window that began anew; what staff have decided or released stays so."""
        call = self.again(connection, turn=ended.turn)
        if call.priority != ended.priority:
            # Proven meanwhile: the turn was one among the unproven.
            call.turn = 0
        if by_staff := {name: True for name in ("decided", "released") if ended.params.get(name)}:
            call.params, call.state, call.priority = call.params | by_staff, CallState.UNCONFIRMED, ended.priority
        return call


def turns_of(connections: Collection[Connection]) -> dict[int, int]:
    """Return the turn of the newest activation call of each connection, by its key; 0 if none is stored."""
    keys = [each.pk for each in connections]
    calls = OutgoingCall.objects.filter(connection__in=keys, kind=Activate.name).order_by("pk")
    return dict.fromkeys(keys, 0) | dict(calls.values_list("connection", "turn"))


WINDOW_CLOSED = "The window closed before Altegio accepted the activation."
STILL_TAKEN = "The window closed while somebody else claimed or held the location."


def _judge(connection: Connection, call: OutgoingCall, status: ConnectionStatus) -> Verdict:
    """Return the verdict, and apply what follows from it for the locked connection at once."""
    facts = facts_of(connection, call, status)
    verdict = judge(facts)
    if connection.is_disputed and not facts.is_disputed and isinstance(verdict, Happened | SendAgain):
        end_dispute(connection)
    match verdict:
        case Hold(reason) if reason == DISPUTED:
            tell_of_disputes([connection])
        case Hold(reason) if status.state is not AltegioState.PENDING:
            adopt_in_place(connection, status)
            show_as_taken(connection, status, reason)
        case AskAgain():
            note_grant(call, status)
        case SendAgain() if connection.state == State.CONFLICT:
            move(connection, State.GRANTED, "Nobody stands in its way any more.")
        case NotToHappen(reason) if call.refusal_code:
            return NotToHappen(f"{reason}. {call.reason}".strip())
    return verdict


def _was_active_at_the_grant(call: OutgoingCall) -> bool:
    """Return whether Altegio calls it active though it refused every activation that was sent."""
    return not may_have_happened(OutgoingCall.objects.filter(pk=call.pk))


def _came_again(connection: Connection, call: OutgoingCall) -> bool:
    """Return whether the owner arrived again while the answer was on its way: perhaps with a grant after this one."""
    if connection.last_arrived_at <= connection.arrived_at:
        # An arrival dated before the first means that the clock was set back, so the order is unknown.
        return connection.last_arrived_at < connection.arrived_at
    return call.attempts.filter(started_at__lte=connection.last_arrived_at).exists()
