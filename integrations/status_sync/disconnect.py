"""Disconnection by the owner or by staff: one uninstall call for each connection (docs/altegio.md §2)."""

import uuid
from collections.abc import Collection

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from integrations.altegio import requests
from integrations.altegio.answers import AltegioState, Answer, ConnectionStatus, read_status
from integrations.altegio.requests import ApiRequest
from integrations.connections.models import LIVE, Connection, State
from integrations.connections.transitions import connection_of, lock, move
from integrations.connections.window import clock_tolerance
from integrations.outbox.call_kinds import (
    CallKind,
    CannotTell,
    Happened,
    NotToHappen,
    ObsoleteError,
    SendAgain,
    Verdict,
    register,
)
from integrations.outbox.models import UNFINISHED, OutgoingCall, Priority
from integrations.outbox.queue import new_call, queue_fresh
from integrations.status_sync.question import status_question
from partner_portal.core.english import english
from partner_portal.core.english import english as _


class NotConnectedError(Exception):
    """Raised if there is nothing to disconnect; `str()` says why."""


@transaction.atomic
def disconnect(connection_id: int, *, by: User | None, why: str) -> Connection:
    """Queue the uninstall call, unless one is pending or the connection is uninstalled already.

    `by` and `why` go into the connection's history. Raises NotConnectedError for a connection that is undecided,
    expired or failed.
    """
    connection = lock(connection_id)
    if connection.state == State.UNINSTALLED:
        return connection
    if connection.state not in LIVE:
        named = {"connection": connection, "state": connection.get_state_display()}
        raise NotConnectedError(_("%(connection)s is not connected: %(state)s.") % named)
    if not being_disconnected([connection]):
        queue_fresh([_uninstall(connection, by.pk if by else None, why)])
    return connection


def being_disconnected(connections: Collection[Connection]) -> set[int]:
    """Return the keys of the connections that have an unfinished uninstall call."""
    waiting = OutgoingCall.objects.filter(
        connection__in=[connection.pk for connection in connections], kind=Uninstall.name, state__in=UNFINISHED
    )
    return {pk for pk in waiting.values_list("connection", flat=True) if pk is not None}


@transaction.atomic
def disconnect_all(owner: User, why: str) -> int:
    """Queue the uninstall calls of all the owner's live connections; return how many connections that are.

    The number includes connections whose call was pending already.
    """
    live = list(Connection.objects.live().select_for_update().filter(owner=owner).order_by("pk"))
    ending = being_disconnected(live)
    queue_fresh(_uninstall(connection, owner.pk, why) for connection in live if connection.pk not in ending)
    return len(live)


def _uninstall(connection: Connection, by: int | None, why: str) -> OutgoingCall:
    # The key is random and no count of earlier calls, because those are deleted some day and a key must be unique.
    key = f"uninstall:{connection.pk}:{uuid.uuid4().hex}"
    return new_call(
        Uninstall,
        key,
        ordering_key=connection.ordering_key,
        connection_id=connection.pk,
        by=by,
        why=why[:300],
        owner=connection.owner_id,
    )


@register
class Uninstall(CallKind):
    """An outgoing call that disconnects an application (docs/altegio.md §2, uninstall).

    A second one could end a connection made since, so after an uncertain end Altegio is asked.
    """

    name = "uninstall"
    title = english("Disconnecting")
    priority = Priority.SETUP
    yes_is_enough = True
    alert_on_failure = True
    alert_ends_with_connection = True

    def about(self, call: OutgoingCall) -> str:
        """Return the connection alone, because it does not matter who disconnects and why."""
        return f"connection:{call.connection_id}"

    def request(self, call: OutgoingCall) -> ApiRequest:
        connection = connection_of(call)
        if connection.state not in LIVE:
            raise ObsoleteError(f"The connection is {connection.state}.")
        if call.params.get("owner") not in (None, connection.owner_id):
            raise ObsoleteError("It is another person's since.")
        return requests.uninstall(connection.location.altegio_id, connection.application.altegio_id)

    def question(self, call: OutgoingCall) -> ApiRequest:
        connection = connection_of(call)
        return status_question(connection.application, connection.location)

    def needs_verification(self, answer: Answer) -> bool:
        """Return whether the refusal may mean that the connection has ended already, which the status call tells."""
        return answer.status_code in (403, 404)

    def bring_back(self, call: OutgoingCall) -> bool:
        """Return False if a newer uninstall call is pending: a second one could end a connection made since."""
        return not being_disconnected([lock(connection_of(call).pk)])

    def judge(self, call: OutgoingCall, answer: Answer) -> Verdict:
        status = read_status(answer, settings.ALTEGIO_TIME_ZONE)
        if status is None:
            return CannotTell()
        if status.state not in (AltegioState.ACTIVE, AltegioState.FROZEN):
            return Happened()
        if _has_ended_it(call, status):
            return Happened()
        return SendAgain() if call.refusal_code is None else NotToHappen(call.reason)

    def accepted(self, call: OutgoingCall, answer: Answer) -> None:
        connection = lock(connection_of(call).pk)
        if connection.state in LIVE:
            by = User.objects.filter(pk=call.params["by"]).first()
            move(connection, State.UNINSTALLED, call.params["why"], by=by, ended_at=timezone.now())


def _has_ended_it(call: OutgoingCall, status: ConnectionStatus) -> bool:
    """Return whether the newest end that Altegio knows is this call's, and the present connection was made since.

    Altegio's clock may differ from ours, so a tolerance applies. Within it, an end that belongs to an earlier
    connection at this place does not count.
    """
    ended_at, tolerance = status.newest_end_at, clock_tolerance()
    if ended_at is None or ended_at < (call.created_at - tolerance).replace(microsecond=0):
        return False
    connection = connection_of(call)
    earlier = Connection.objects.beside(connection).filter(pk__lt=connection.pk, state=State.UNINSTALLED)
    return not earlier.filter(ended_at__gte=ended_at - tolerance).exists()
