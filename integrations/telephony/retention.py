"""How long saved calls are kept: they hold the telephone numbers of other people's clients."""

from datetime import datetime

from integrations.telephony.models import PhoneCall
from partner_portal.core.retention import BATCH, register_retention


def delete_old_phone_calls(before: datetime) -> int:
    """Those that Altegio has, or refused; read from the old end of the table."""
    ended = PhoneCall.objects.exclude(state=PhoneCall.State.QUEUED)
    oldest = ended.order_by("pk").values_list("pk", "received_at")[:BATCH]
    old = [pk for pk, received_at in oldest if received_at < before]
    PhoneCall.objects.filter(pk__in=old).delete()
    return len(old)


register_retention("saved calls", "RETENTION_PHONE_CALLS_DAYS", delete_old_phone_calls)
