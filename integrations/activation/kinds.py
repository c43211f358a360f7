"""The activation call: within the window, once, and asked about whenever its end is not certain."""

import uuid
from datetime import datetime

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from integrations.activation.binding import (
    accept,
    conflict_or_failure,
    end_unnoticed,
    is_granted_to,
    was_ours,
    words_about,
)
from integrations.altegio import calls
from integrations.altegio.answers import AltegioState, Answer, read_status
from integrations.altegio.calls import Call
from integrations.connections import connection_of, lock, move
from integrations.lifecycle.asking import ask_status
from integrations.models.connection import Connection, State, event_address
from integrations.outbox.kinds import (
    CallKind,
    CannotTell,
    Happened,
    NotToHappen,
    Obsolete,
    SendAgain,
    Verdict,
    register,
)
from integrations.outbox.models import CallState, OutgoingCall, Priority
from integrations.outbox.queue import new_call

NO_OPEN_GRANT = "No open grant"


@register
class Activate(CallKind):
    """ALTEGIO.md §2, activate."""

    name = "activate"
    title = _("Activation")
    priority = Priority.ACTIVATION

    @classmethod
    def new(cls, connection: Connection, *, ask_first: bool = False) -> OutgoingCall:
        """The activation call of a connection that has arrived."""
        return cls._call(connection, connection.deadline_at, ask_first=ask_first)

    @classmethod
    def again(cls, connection: Connection, deadline_at: datetime) -> OutgoingCall:
        """A later one; it asks before it sends."""
        return cls._call(connection, deadline_at, ask_first=True)

    @classmethod
    def _call(cls, connection: Connection, deadline_at: datetime, *, ask_first: bool) -> OutgoingCall:
        # No count of the earlier ones: they are not kept for ever, and a key must not come twice. That only one
        # waits for a connection is a constraint of the table.
        return new_call(
            cls,
            f"activate:{connection.pk}:{uuid.uuid4().hex}",
            lane=connection.lane,
            connection_id=connection.pk,
            deadline_at=deadline_at,
            state=CallState.DOUBTFUL if ask_first else CallState.QUEUED,
        )

    def request(self, call: OutgoingCall) -> Call:
        connection = connection_of(call)
        if connection.state != State.GRANTED:
            raise Obsolete(f"The connection is {connection.state}.")
        application, keys = connection.application, connection.keys
        return calls.activate(
            connection.location.altegio_id,
            application.altegio_id,
            api_key=keys.api_key if application.gets_api_key else "",
            webhook_urls=[event_address(keys.events_key)],
            extras=application.activation_extras,
        )

    def question(self, call: OutgoingCall) -> Call:
        connection = connection_of(call)
        return calls.status(connection.location.altegio_id, connection.application.altegio_id)

    def doubts(self, answer: Answer) -> bool:
        """A 403 may mean that it is active already: it says nothing until the status call is asked."""
        return answer.status_code == 403

    def judge(self, call: OutgoingCall, answer: Answer) -> Verdict:
        status = read_status(answer, settings.ALTEGIO_TIME_ZONE)
        if status is None:
            return CannotTell()
        connection = lock(connection_of(call).pk)
        match status.state:
            case AltegioState.ACTIVE | AltegioState.FROZEN:
                ours = was_ours(connection, status)
                return Happened() if ours else NotToHappen("Altegio says it was connected before.")
            case AltegioState.PENDING if call.refusal_code is None and is_granted_to(connection, status):
                end_unnoticed(connection)
                return SendAgain()
        return NotToHappen(f"{NO_OPEN_GRANT}. {call.reason}".strip() if call.refusal_code else NO_OPEN_GRANT)

    def accepted(self, call: OutgoingCall, answer: Answer) -> None:
        status = read_status(answer, settings.ALTEGIO_TIME_ZONE)
        frozen = status is not None and status.state is AltegioState.FROZEN
        connection = lock(connection_of(call).pk)
        accept(connection, State.FROZEN if frozen else State.ACTIVE, "Altegio accepted the activation.")
        if _came_again(connection, call):
            ask_status(connection)

    def refused(self, call: OutgoingCall, reason: str, answer: Answer) -> None:
        status = read_status(answer, settings.ALTEGIO_TIME_ZONE)
        conflict_or_failure(lock(connection_of(call).pk), status, reason, words_about(call))

    def expired(self, call: OutgoingCall, now: datetime) -> None:
        connection = lock(connection_of(call).pk)
        if connection.state != State.GRANTED:
            return
        why = "The window closed before Altegio accepted the activation."
        move(connection, State.EXPIRED, f"{why} {call.reason}".strip(), altegio_words=words_about(call), ended_at=now)
        if call.attempts.exists():
            # The last word may have been lost on the line; Altegio knows.
            ask_status(connection)


def _came_again(connection: Connection, call: OutgoingCall) -> bool:
    """Whether the owner arrived once more while the answer was on its way: perhaps with a grant after this one."""
    if connection.last_arrived_at <= connection.arrived_at:
        # Earlier than before: the clock was set back since, and cannot tell.
        return connection.last_arrived_at < connection.arrived_at
    return call.attempts.filter(started_at__lte=connection.last_arrived_at).exists()
