"""Receivers that notify owners about their connections: of changed states, never of answers that only confirm one."""

from typing import Any

from django.dispatch import receiver

from accounts.notifications import notify
from integrations.connections.models import LIVE, Connection, State
from integrations.connections.signals import connection_changed
from integrations.lifecycle.notifications import Connected, NotConnected, arrival_group


@receiver(connection_changed)
def tell_owner(connection: Connection, before: State, after: State, **_: Any) -> None:
    """Notify the owner of an activation, or the claimant of a failure; nobody if there is no such person."""
    key = str(connection.pk)
    if after == State.ACTIVE and before not in LIVE and connection.owner:
        notify(Connected, connection.owner, connection.pk, key=key, group=arrival_group(connection))
    elif after in (State.FAILED, State.EXPIRED) and connection.claimant:
        notify(NotConnected, connection.claimant, connection.pk, key=key, group=arrival_group(connection))
