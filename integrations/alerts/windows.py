"""The alerts that a claim's window runs out: they are about one window, and end with it."""

from collections.abc import Sequence
from datetime import datetime

from integrations.alerts.models import Alert
from integrations.alerts.raising import clear_alerts
from integrations.connections.models import Connection


def clear_window_alerts(connections: Sequence[Connection]) -> None:
    """Their windows are about to begin anew. Nothing is asked of the database for those that nobody was warned of."""
    if warned := [each.pk for each in connections if each.warned]:
        clear_alerts(connection__in=warned, kind=Alert.Kind.WINDOW)


def begin_window(connection: Connection, deadline: datetime) -> None:
    """Give an undecided, locked connection a new window."""
    clear_window_alerts([connection])
    connection.deadline_at, connection.warned = deadline, 0
    connection.save(update_fields=["deadline_at", "warned"])
