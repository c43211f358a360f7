"""The connections in doubt: asked about every few minutes, not only at night."""

from collections.abc import Callable
from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from integrations.lifecycle.asking import ask_status
from integrations.lifecycle.processing import doubtful_callbacks
from integrations.models.connection import Connection, EndedBy, State
from integrations.outbox.models import Attempt
from partner_portal.queues import Queue

MOST = 200
LOST_ANSWER_LASTS = timedelta(hours=2)

Doubt = Callable[[], QuerySet[Connection]]
_doubts: list[Doubt] = [doubtful_callbacks]
DOUBTS = Queue.register(Queue("doubts", "Connections in doubt", Connection))


def register_doubt(doubt: Doubt) -> Doubt:
    """Decorator: ask about the connections of this query, too. It must be cheap and end by itself."""
    _doubts.append(doubt)
    return doubt


@register_doubt
def lost_activations() -> QuerySet[Connection]:
    """Ended here, while an activation call was never answered: Altegio may have accepted it."""
    unanswered = Attempt.objects.filter(
        call__kind="activate",
        purpose=Attempt.Purpose.SEND,
        outcome__in=("", "unknown"),
        started_at__gte=timezone.now() - LOST_ANSWER_LASTS,
    )
    return Connection.objects.filter(
        state__in=(State.EXPIRED, State.FAILED), pk__in=unanswered.values("call__connection")
    ).exclude(ended_by=EndedBy.STAFF)


def ask_about_doubtful() -> int:
    """Ask Altegio about every connection in doubt. Returns how many."""
    asked = {
        connection.pk: connection for doubt in _doubts for connection in DOUBTS.ready(doubt()).order_by("pk")[:MOST]
    }
    return DOUBTS.work_each(asked.values(), lambda connection: ask_status(connection, patient=True))
