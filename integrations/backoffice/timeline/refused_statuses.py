"""The timeline's entries about refused message statuses."""

from collections.abc import Iterator

from integrations.backoffice.timeline.entries import TIMELINE, Entry, Rank
from integrations.connections.models import Application, Connection
from integrations.messaging.models import BatchState, MessageStatus, StatusBatch
from partner_portal.core.english import english as _

# How many of the newest refused batches are searched, and how many of the location's statuses are shown.
MAX_REFUSED, MAX_COUNT = 500, 50


@TIMELINE.add(rank=56)
def refused_statuses(connection: Connection) -> Iterator[Entry]:
    """Yield the statuses of the location's messages that Altegio refused, if the gateway names the location."""
    if connection.application.kind != Application.Kind.SMS:
        return
    newest = (
        StatusBatch.objects.filter(state=BatchState.REFUSED)
        .order_by("-pk")
        .values_list("pk", flat=True)[:MAX_REFUSED]
    )
    refused = MessageStatus.objects.filter(batch__in=list(newest))
    own = refused.filter(location=connection.location_id).select_related("batch").order_by("-pk")
    for status in own[:MAX_COUNT]:
        yield Entry(
            status.batch.received_at,
            Rank.CONSEQUENCE,
            _("message status"),
            str(status),
            status.batch.refusal,
            status.batch,
            is_bad=True,
        )
