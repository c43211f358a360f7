"""How long saved calls are kept: they hold the telephone numbers of other people's clients."""

from datetime import datetime

from integrations.telephony.models import SavedCall
from partner_portal.retention import BATCH, register_retention


def delete_old_saved_calls(before: datetime) -> int:
    """Those that Altegio has, or refused; read from the old end of the table."""
    ended = SavedCall.objects.exclude(state=SavedCall.State.QUEUED)
    oldest = ended.order_by("pk").values_list("pk", "received_at")[:BATCH]
    old = [pk for pk, received_at in oldest if received_at < before]
    SavedCall.objects.filter(pk__in=old).delete()
    return len(old)


register_retention("saved calls", "RETENTION_SAVED_CALLS_DAYS", delete_old_saved_calls)
