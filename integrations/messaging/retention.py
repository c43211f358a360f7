"""How long message statuses are kept; the daily volumes stay."""

from datetime import datetime

from integrations.messaging.models import BatchState, MessageStatus, StatusBatch
from partner_portal.core.retention import register_retention

# Each of them holds up to a thousand statuses.
BATCHES_AT_ONCE = 50


def delete_old_statuses(before: datetime) -> int:
    """Delete some batches of statuses that came before `before`. Returns how many batches.

    What still waits for Altegio stays, and so does what is not counted yet.
    """
    old = StatusBatch.objects.filter(received_at__lt=before, tallied=True).exclude(state=BatchState.WAITING)
    batches = list(old.order_by("received_at").values_list("pk", flat=True)[:BATCHES_AT_ONCE])
    if not batches:
        return 0
    statuses = MessageStatus.objects.filter(batch__in=batches)
    statuses._raw_delete(statuses.db)  # noqa: SLF001 - nothing refers to a status
    StatusBatch.objects.filter(pk__in=batches).delete()
    return len(batches)


register_retention("message statuses", "RETENTION_SMS_STATUSES_DAYS", delete_old_statuses)
