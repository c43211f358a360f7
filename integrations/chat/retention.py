"""How long chat signals are kept; their words go with their end."""

from datetime import datetime

from integrations.chat.models import ChatSignal
from partner_portal.core.retention import BATCH, register_retention


def delete_old_signals(before: datetime) -> int:
    """Delete some that came before `before`, read from the old end of the table. Returns how many."""
    ended = ChatSignal.objects.exclude(state=ChatSignal.State.QUEUED)
    oldest = ended.order_by("pk").values_list("pk", "received_at")[:BATCH]
    old = [pk for pk, received_at in oldest if received_at < before]
    ChatSignal.objects.filter(pk__in=old).delete()
    return len(old)


register_retention("chat signals", "RETENTION_MESSAGES_DAYS", delete_old_signals)
