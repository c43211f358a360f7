"""Alerts about late activations: half and five sixths of the window are gone."""

from django.db import transaction
from django.utils import timezone

from integrations.alerts.models import Alert
from integrations.alerts.raising import NewAlert, raise_alerts
from integrations.connections.models import Connection, State
from integrations.connections.transitions import hold
from integrations.connections.window import activation_window

# The level, and how much of the window is gone. The most urgent comes first, so that a late look raises one alert.
LEVELS = ((2, 5 / 6), (1, 1 / 2))
BATCH = 500


def warn_of_late_activations() -> int:
    """Raise the alerts that are due, each once for a connection and level. Returns how many."""
    return sum(_warn(level, gone) for level, gone in LEVELS)


def _warn(level: int, gone: float) -> int:
    now = timezone.now()
    left = activation_window() * (1 - gone)
    late = Connection.objects.filter(
        state=State.GRANTED, deadline_at__lte=now + left, deadline_at__gt=now, warned__lt=level
    )
    first = list(late.order_by("deadline_at").values_list("pk", flat=True)[:BATCH])
    with transaction.atomic():
        held = late.filter(pk__in=hold(late.filter(pk__in=first)))
        connections = list(held.select_related("application", "location").order_by("deadline_at"))
        raise_alerts(
            NewAlert(
                Alert.Kind.WINDOW,
                f"window:{level}:{connection.pk}",
                f"{connection}: not activated yet, and the window closes at {connection.deadline_at:%H:%M:%S} UTC.",
                connection,
            )
            for connection in connections
        )
        Connection.objects.filter(pk__in=[connection.pk for connection in connections]).update(warned=level)
    return len(connections)
