"""What text messages learn from the rest of the marketplace."""

from typing import Any

from django.dispatch import receiver

from integrations.connections.models import UNDECIDED, Connection, State
from integrations.connections.signals import connection_changed
from integrations.messaging.api_keys import forget_replaced_keys


@receiver(connection_changed)
def void_replaced_keys(connection: Connection, before: State, after: State, **_: Any) -> None:
    """A new activation was accepted: Altegio has the newest key."""
    if before in UNDECIDED and after == State.ACTIVE:
        forget_replaced_keys(connection)
