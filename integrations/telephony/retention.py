"""Retention of phone calls and of the outgoing calls about them: both hold the numbers of other people's clients."""

from datetime import datetime
from functools import partial

from integrations.outbox.models import OutgoingCall
from integrations.telephony.call_notifications import CallNotification
from integrations.telephony.models import PhoneCall
from integrations.telephony.phone_calls import CallHistory
from partner_portal.core.retention import BATCH, register_retention

# Deleting an outgoing call deletes its attempts too, so this is lower than `BATCH`.
CALLS_AT_ONCE = 300


def delete_old_phone_calls(before: datetime) -> int:
    """Delete phone calls received before `before` that are not queued; return how many.

    Only one batch is read each time, from the old end of the table.
    """
    ended = PhoneCall.objects.exclude(state=PhoneCall.State.QUEUED)
    oldest = ended.order_by("pk").values_list("pk", "received_at")[:BATCH]
    old = [pk for pk, received_at in oldest if received_at < before]
    PhoneCall.objects.filter(pk__in=old).delete()
    return len(old)


def delete_old_calls(before: datetime, *, kind: str) -> int:
    """Delete a kind's outgoing calls that ended before `before`, with their attempts; return how many.

    Only one batch is read each time, from the old end of the table.
    """
    ended = OutgoingCall.objects.filter(kind=kind, finished_at__isnull=False)
    oldest = ended.order_by("pk").values_list("pk", "finished_at")[:CALLS_AT_ONCE]
    old = [pk for pk, finished_at in oldest if finished_at and finished_at < before]
    OutgoingCall.objects.filter(pk__in=old).delete()
    return len(old)


register_retention("saved calls", "RETENTION_PHONE_CALLS_DAYS", delete_old_phone_calls)
for _kind in (CallHistory.name, CallNotification.name):
    register_retention(f"calls: {_kind}", "RETENTION_PHONE_CALLS_DAYS", partial(delete_old_calls, kind=_kind))
