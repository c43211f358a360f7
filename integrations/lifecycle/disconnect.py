"""Disconnecting by the owner or by staff: the uninstall call, once (ALTEGIO.md §2)."""

import uuid

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from integrations.altegio import calls
from integrations.altegio.answers import AltegioState, Answer, read_status
from integrations.altegio.calls import Call
from integrations.connections import connection_of, lock, move
from integrations.models.connection import LIVE, Connection, State
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
from integrations.outbox.models import UNFINISHED, OutgoingCall, Priority
from integrations.outbox.queue import new_call, queue


class NotConnected(Exception):
    """There is nothing to disconnect; `str()` says why."""


@transaction.atomic
def disconnect(connection_id: int, *, by: User | None, why: str) -> Connection:
    """Queue the uninstall call. Again, while it waits or after the end, changes nothing.

    Raises NotConnected for a connection that never was alive, or failed.
    """
    connection = lock(connection_id)
    if connection.state == State.UNINSTALLED:
        return connection
    if connection.state not in LIVE:
        named = {"connection": connection, "state": connection.get_state_display()}
        raise NotConnected(_("%(connection)s is not connected: %(state)s.") % named)
    earlier = OutgoingCall.objects.filter(connection=connection, kind=Uninstall.name)
    if not earlier.filter(state__in=UNFINISHED).exists():
        # No count of the earlier ones: they are not kept for ever, and a key must not come twice.
        key = f"uninstall:{connection.pk}:{uuid.uuid4().hex}"
        by_id = by.pk if by else None
        lane = connection.lane
        queue([new_call(Uninstall, key, lane=lane, connection_id=connection.pk, by=by_id, why=why[:300])])
    return connection


@register
class Uninstall(CallKind):
    """ALTEGIO.md §2, uninstall. A second one could hit a connection made since, so an uncertain end is asked."""

    name = "uninstall"
    priority = Priority.SETUP
    worth_an_alarm = True

    def request(self, call: OutgoingCall) -> Call:
        connection = connection_of(call)
        if connection.state not in LIVE:
            raise Obsolete(f"The connection is {connection.state}.")
        return calls.uninstall(connection.location.altegio_id, connection.application.altegio_id)

    def question(self, call: OutgoingCall) -> Call:
        connection = connection_of(call)
        return calls.status(connection.location.altegio_id, connection.application.altegio_id)

    def doubts(self, answer: Answer) -> bool:
        """A refusal may mean that it is gone already: the status call knows."""
        return answer.status_code in (403, 404)

    def judge(self, call: OutgoingCall, answer: Answer) -> Verdict:
        status = read_status(answer, settings.ALTEGIO_TIME_ZONE)
        if status is None:
            return CannotTell()
        if status.state not in (AltegioState.ACTIVE, AltegioState.FROZEN):
            return Happened()
        if status.newest_end_at is not None and status.newest_end_at >= call.created_at.replace(microsecond=0):
            return Happened()
        return SendAgain() if call.refusal_code is None else NotToHappen(call.reason)

    def accepted(self, call: OutgoingCall, answer: Answer) -> None:
        connection = lock(connection_of(call).pk)
        if connection.state in LIVE:
            by = User.objects.filter(pk=call.params["by"]).first()
            move(connection, State.UNINSTALLED, call.params["why"], by=by, ended_at=timezone.now())
