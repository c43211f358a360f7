"""Retention of chat signals; their words are deleted when they end."""

from datetime import datetime

from integrations.chat.models import ChatSignal
from partner_portal.core.retention import BATCH, register_retention


def delete_old_signals(before: datetime) -> int:
    """Delete a batch of signals received before `before`, from the old end of the table. Returns how many."""
    ended = ChatSignal.objects.exclude(state=ChatSignal.State.QUEUED)
    oldest = ended.order_by("pk").values_list("pk", "received_at")[:BATCH]
    old = [pk for pk, received_at in oldest if received_at < before]
    ChatSignal.objects.filter(pk__in=old).delete()
    return len(old)


register_retention("chat signals", "RETENTION_MESSAGES_DAYS", delete_old_signals)
