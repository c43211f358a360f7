"""Clearing the alerts about a claim's window, which end when a new window begins."""

from collections.abc import Sequence
from datetime import datetime

from integrations.alerts.models import Alert
from integrations.alerts.raising import clear_alerts
from integrations.connections.models import Connection


def clear_window_alerts(connections: Sequence[Connection]) -> None:
    """Clear the window alerts of connections whose windows begin anew; those without a warning cost no query."""
    if warned := [each.pk for each in connections if each.warned]:
        clear_alerts(connection__in=warned, kind=Alert.Kind.WINDOW)


def begin_window(connection: Connection, deadline: datetime) -> None:
    """Give an undecided, locked connection a new window."""
    clear_window_alerts([connection])
    connection.deadline_at, connection.warned = deadline, 0
    connection.save(update_fields=["deadline_at", "warned"])
