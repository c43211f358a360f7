"""The watch for undecided claims that nothing moves; there should never be one."""

from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from integrations.activation.call_kinds import Activate, turns_of
from integrations.activation.waiting_call import undecided_without_call
from integrations.connections.models import UNDECIDED, Connection, EndedBy, State
from integrations.connections.transitions import lock, move
from integrations.outbox.queue import queue_fresh
from partner_portal.core.watch import register_check


def _without_a_call(now: datetime) -> QuerySet[Connection]:
    return undecided_without_call()


def _go_on(found: Connection) -> None:
    connection = lock(found.pk)
    if connection.state not in UNDECIDED:
        return
    now = timezone.now()
    if connection.deadline_at <= now:
        to = State.EXPIRED if connection.state == State.GRANTED else State.FAILED
        why = "The window closed, and no call was on its way."
        move(connection, to, why, ended_at=now, ended_by=EndedBy.WINDOW)
    else:
        # A disputed claim is held back again by the answer to its question.
        queue_fresh([Activate.again(connection, turn=turns_of([connection])[connection.pk])])


register_check("connection: undecided", _without_a_call, _go_on)
