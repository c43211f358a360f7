"""What an arrival learns from the rest of the marketplace."""

from typing import Any

from django.dispatch import receiver

from integrations.activation.binding import is_granted_to
from integrations.altegio.answers import ConnectionStatus
from integrations.connect.claims import go_on_as_new
from integrations.lifecycle.asking import granted_again
from integrations.models.connection import Connection


@receiver(granted_again)
def reconnect(connection: Connection, status: ConnectionStatus, **_: Any) -> None:
    """Connect was pressed again before the portal knew of the end; by its owner, where they have come since."""
    if is_granted_to(connection, status):
        go_on_as_new(connection)
