"""Old statuses go, batch by batch: no long lock, no long transaction."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from integrations.sms.models import BatchState, MessageStatus, StatusBatch

BATCHES_AT_ONCE = 50
MOST_IN_A_RUN = 20_000


def delete_old_statuses() -> int:
    """Delete what was sent or refused more than `SMS_STATUSES_RETENTION_DAYS` ago. Returns how many batches.

    What still waits for Altegio stays, and so does what is not counted yet.
    """
    before = timezone.now() - timedelta(days=settings.SMS_STATUSES_RETENTION_DAYS)
    old = StatusBatch.objects.filter(received_at__lt=before, tallied=True).exclude(state=BatchState.WAITING)
    deleted = 0
    while deleted < MOST_IN_A_RUN:
        batches = list(old.order_by("received_at").values_list("pk", flat=True)[:BATCHES_AT_ONCE])
        if not batches:
            break
        statuses = MessageStatus.objects.filter(batch__in=batches)
        statuses._raw_delete(statuses.db)  # nothing refers to a status
        StatusBatch.objects.filter(pk__in=batches).delete()
        deleted += len(batches)
    return deleted
