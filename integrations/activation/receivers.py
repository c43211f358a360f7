"""Receivers for two events: Altegio calls an ended connection live, or what blocked a claim has ended."""

from typing import Any

from django.dispatch import receiver

from integrations.activation.binding import (
    accept,
    answers_a_lost_call,
    answers_another_lost_call,
)
from integrations.activation.waiting_call import wake
from integrations.alerts.models import Alert
from integrations.alerts.raising import raise_alert_once
from integrations.altegio.answers import AltegioState, ConnectionStatus
from integrations.connections.models import Connection, EndedBy, State
from integrations.connections.signals import connection_changed, found_alive
from integrations.connections.transitions import move
from integrations.connections.window import clock_tolerance
from integrations.telephony.chains import resume_chain


@receiver(found_alive)
def accept_late(connection: Connection, status: ConnectionStatus, **_: Any) -> None:
    """Accept a connection that expired or failed here but is live at Altegio.

    Only if one of its own activations got no answer, and no claim that waits has such a call. `accept` binds nothing
    that staff ended.
    """
    if connection.state not in (State.EXPIRED, State.FAILED) or answers_another_lost_call(connection, status):
        return
    if answers_a_lost_call(connection, status):
        to = State.FROZEN if status.state is AltegioState.FROZEN else State.ACTIVE
        accept(connection, to, "Altegio had accepted the activation; the answer was lost.")


@receiver(connection_changed)
def ask_about_held_claims(connection: Connection, after: State, **_: Any) -> None:
    """Ask Altegio again about claims that were held back because of this connection.

    After an uninstall these are the claims that waited behind the holder; after a refusal, the claims in dispute with
    the refused one. A window that merely ends wakes nobody.
    """
    if after == State.UNINSTALLED:
        _wake_held(connection, is_disputed=False)
    elif (
        after == State.FAILED and connection.is_disputed and connection.ended_by in (EndedBy.ALTEGIO, EndedBy.PORTAL)
    ):
        _wake_held(connection, is_disputed=True)


def _wake_held(connection: Connection, *, is_disputed: bool) -> None:
    held = Connection.objects.beside(connection).filter(state=State.CONFLICT, is_disputed=is_disputed)
    wake(list(held.select_related("application")))


@receiver(found_alive)
def revive(connection: Connection, status: ConnectionStatus, **_: Any) -> None:
    """Reactivate an uninstalled connection if Altegio knows of no end since its activation; else alert staff.

    A later grant may be a stranger's, so nobody gets the location by it.
    """
    if connection.state != State.UNINSTALLED:
        return
    if _never_ended(connection, status):
        to = State.FROZEN if status.state is AltegioState.FROZEN else State.ACTIVE
        move(connection, to, "Altegio says that it had not ended.", ended_at=None, ended_by="")
        resume_chain(connection)
        return
    text = f"{connection}: connected at Altegio, but it ended here, and nobody has arrived since."
    raise_alert_once(Alert.Kind.UNKNOWN, f"alive:{connection.pk}:{status.newest_end_at}", text, connection)


def _never_ended(connection: Connection, status: ConnectionStatus) -> bool:
    """Return whether Altegio knows of no end since this connection was activated."""
    since = connection.connected_since
    if since is None:
        return False
    return status.newest_end_at is None or status.newest_end_at < since - clock_tolerance()
