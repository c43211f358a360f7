"""What arrivals and connections learn from the rest of the portal."""

from typing import Any

from django.dispatch import receiver

from accounts.addresses import address_changed
from accounts.erasure import person_erased
from accounts.models import User
from integrations.activation.binding import is_granted_to
from integrations.altegio.answers import ConnectionStatus
from integrations.connect.claims import go_on_as_new
from integrations.connections import touch
from integrations.lifecycle.asking import granted_again
from integrations.models.connection import Connection


@receiver(granted_again)
def reconnect(connection: Connection, status: ConnectionStatus, **_: Any) -> None:
    """Connect was pressed again before the portal knew of the end; by its owner, where they have come since."""
    if is_granted_to(connection, status):
        go_on_as_new(connection)


@receiver((address_changed, person_erased))
def show_other_address(user: User, **_: Any) -> None:
    """An owner's connections show their address."""
    touch(Connection.objects.filter(owner=user))
