"""How long saved calls are kept, and what told Altegio of calls: they hold the numbers of other people's clients."""

from datetime import datetime
from functools import partial

from integrations.outbox.models import OutgoingCall
from integrations.telephony.call_notifications import CallNotification
from integrations.telephony.models import PhoneCall
from integrations.telephony.phone_calls import CallHistory
from partner_portal.core.retention import BATCH, register_retention

# Every outgoing call takes its attempts along.
CALLS_AT_ONCE = 300


def delete_old_phone_calls(before: datetime) -> int:
    """Those that Altegio has, or refused; read from the old end of the table."""
    ended = PhoneCall.objects.exclude(state=PhoneCall.State.QUEUED)
    oldest = ended.order_by("pk").values_list("pk", "received_at")[:BATCH]
    old = [pk for pk, received_at in oldest if received_at < before]
    PhoneCall.objects.filter(pk__in=old).delete()
    return len(old)


def delete_old_calls(before: datetime, *, kind: str) -> int:
    """The outgoing calls of a kind that ended before `before`, with their attempts, from the old end of the table."""
    ended = OutgoingCall.objects.filter(kind=kind, finished_at__isnull=False)
    oldest = ended.order_by("pk").values_list("pk", "finished_at")[:CALLS_AT_ONCE]
    old = [pk for pk, finished_at in oldest if finished_at and finished_at < before]
    OutgoingCall.objects.filter(pk__in=old).delete()
    return len(old)


register_retention("saved calls", "RETENTION_PHONE_CALLS_DAYS", delete_old_phone_calls)
for _kind in (CallHistory.name, CallNotification.name):
    register_retention(f"calls: {_kind}", "RETENTION_PHONE_CALLS_DAYS", partial(delete_old_calls, kind=_kind))
