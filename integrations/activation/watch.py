"""Connections that wait for an activation which nobody will send."""

from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from integrations.activation.kinds import Activate
from integrations.activation.waiting import undecided_without_call
from integrations.connections import lock, move
from integrations.models.connection import Connection, State
from integrations.outbox.queue import queue
from partner_portal.watch import register_check


def _without_a_call(now: datetime) -> QuerySet[Connection]:
    return undecided_without_call().filter(state=State.GRANTED)


def _go_on(found: Connection) -> None:
    connection = lock(found.pk)
    if connection.state != State.GRANTED:
        return
    now = timezone.now()
    if connection.deadline_at <= now:
        move(connection, State.EXPIRED, "The window closed, and no call was on its way.", ended_at=now)
    else:
        queue([Activate.again(connection, connection.deadline_at)])


register_check("connection: granted", _without_a_call, _go_on)
