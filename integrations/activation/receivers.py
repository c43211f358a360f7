"""An activation whose answer never came may turn out to have happened."""

from typing import Any

from django.dispatch import receiver

from integrations.activation.binding import accept, answers_a_lost_call
from integrations.altegio.answers import AltegioState, ConnectionStatus
from integrations.lifecycle.asking import found_alive
from integrations.models.connection import Connection, State


@receiver(found_alive)
def accept_late(connection: Connection, status: ConnectionStatus, **_: Any) -> None:
    """Expired or failed here, alive at Altegio: ours only where it answers a call of ours."""
    if connection.state in (State.EXPIRED, State.FAILED) and answers_a_lost_call(connection, status):
        to = State.FROZEN if status.state is AltegioState.FROZEN else State.ACTIVE
        accept(connection, to, "Altegio had accepted the activation; the answer was lost.")
