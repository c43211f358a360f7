"""Retention of requested messages, the events about them, and message statuses; the daily volumes are kept."""

from datetime import datetime

from integrations.messaging.models import BatchState, MessageStatus, RequestedMessage, StatusBatch
from integrations.partner_events import types
from integrations.partner_events.models import PartnerEvent
from integrations.partner_events.retention import delete_settled
from partner_portal.core.retention import BATCH, register_retention

# A batch holds up to a thousand statuses.
BATCHES_AT_ONCE = 50


def delete_old_statuses(before: datetime) -> int:
    """Delete some batches of statuses received before `before`; return how many batches.

    Batches that wait for Altegio or are not counted yet stay.
    """
    old = StatusBatch.objects.filter(received_at__lt=before, tallied=True).exclude(state=BatchState.WAITING)
    batches = list(old.order_by("received_at").values_list("pk", flat=True)[:BATCHES_AT_ONCE])
    if not batches:
        return 0
    statuses = MessageStatus.objects.filter(batch__in=batches)
    statuses._raw_delete(statuses.db)  # noqa: SLF001 - nothing refers to a status
    StatusBatch.objects.filter(pk__in=batches).delete()
    return len(batches)


def delete_old_messages(before: datetime) -> int:
    """Delete some messages received before `before`, from the old end of the table; return how many.

    A message without a final status stays until it is ended (`message_ends.py`).
    """
    ended = RequestedMessage.objects.exclude(state__in=RequestedMessage.NOT_FINAL)
    oldest = ended.order_by("pk").values_list("pk", "received_at")[:BATCH]
    old = [pk for pk, received_at in oldest if received_at < before]
    RequestedMessage.objects.filter(pk__in=old).delete()
    return len(old)


def delete_old_events(before: datetime) -> int:
    """Delete some events about messages made before `before`, because they hold the same texts; return how many."""
    return delete_settled(PartnerEvent.objects.filter(type=types.MESSAGE_REQUESTED, created_at__lt=before))


register_retention("events of requested messages", "RETENTION_MESSAGES_DAYS", delete_old_events)
register_retention("requested messages", "RETENTION_MESSAGES_DAYS", delete_old_messages)
register_retention("message statuses", "RETENTION_SMS_STATUSES_DAYS", delete_old_statuses)
