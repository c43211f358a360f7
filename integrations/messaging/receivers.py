"""Receivers of the marketplace's signals that concern text messages."""

from typing import Any

from django.dispatch import receiver

from integrations.connections.models import UNDECIDED, Connection, State
from integrations.connections.signals import connection_changed
from integrations.messaging.api_keys import void_keys_before_activation


@receiver(connection_changed)
def void_replaced_keys(connection: Connection, before: State, after: State, **_: Any) -> None:
    """Where a new activation was accepted, Altegio has the newest key."""
    if before in UNDECIDED and after == State.ACTIVE:
        void_keys_before_activation(connection)
