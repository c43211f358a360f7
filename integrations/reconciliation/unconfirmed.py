"""Questions about connections whose state is unconfirmed, every few minutes and not only at night."""

from collections.abc import Callable
from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from integrations.activation.binding import lost_attempts
from integrations.connections.models import Connection, EndedBy, State
from integrations.lifecycle.processing import unconfirmed_callbacks
from integrations.status_sync.status_sync import ask_status
from partner_portal.core.extension_points import ExtensionPoint
from partner_portal.core.queues import Queue

MAX_COUNT = 200
LOST_ANSWER_LASTS = timedelta(hours=2)

Source = Callable[[], QuerySet[Connection]]
# Each query must be cheap, and its connections must drop out of it by themselves.
UNCONFIRMED_SOURCES = ExtensionPoint[Source](
    "unconfirmed connections", "Connections that Altegio is asked about every few minutes."
)
UNCONFIRMED_SOURCES.register("callbacks", unconfirmed_callbacks)
UNCONFIRMED = Queue.register(Queue("unconfirmed", "Unconfirmed connections", Connection))


@UNCONFIRMED_SOURCES.add()
def lost_activations() -> QuerySet[Connection]:
    """Return connections that ended here while an activation's answer was lost: Altegio may have accepted it."""
    lost = lost_attempts().filter(started_at__gte=timezone.now() - LOST_ANSWER_LASTS)
    return Connection.objects.filter(
        state__in=(State.EXPIRED, State.FAILED), pk__in=lost.values("call__connection")
    ).exclude(ended_by=EndedBy.STAFF)


def recheck_unconfirmed() -> int:
    """Ask Altegio about every unconfirmed connection. Returns how many."""
    asked = {
        connection.pk: connection
        for source in UNCONFIRMED_SOURCES
        for connection in UNCONFIRMED.ready(source()).order_by("pk")[:MAX_COUNT]
    }
    return UNCONFIRMED.work_each(asked.values(), lambda connection: ask_status(connection, patient=True))
