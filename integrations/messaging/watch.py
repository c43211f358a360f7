"""Checks for message statuses and channel switches that no call sends to Altegio, and for messages left open."""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from integrations.messaging.call_kinds import queue_relays
from integrations.messaging.channels import UpdateChannel
from integrations.messaging.message_ends import MAX_WAIT, end, open_messages
from integrations.messaging.models import BatchState, CallbackAddress, RequestedMessage, StatusBatch
from integrations.outbox.models import UNFINISHED
from integrations.outbox.watch import key_of, unfinished
from partner_portal.core.watch import register_check

# Beat ends overdue messages each half minute, so one that is this late was missed.
LATE = timedelta(minutes=30)


def _unended(now: datetime) -> QuerySet[RequestedMessage]:
    return open_messages(now - MAX_WAIT - LATE)


def _unrelayed(now: datetime) -> QuerySet[CallbackAddress]:
    waiting = StatusBatch.objects.filter(address=OuterRef("pk"), state=BatchState.WAITING)
    nobodys = Exists(waiting.filter(~Q(call__state__in=UNFINISHED)))
    no_relay = ~unfinished(ordering_key=key_of("statuses", "pk"))
    return CallbackAddress.objects.filter(
        nobodys, no_relay, ~unfinished(ordering_key=key_of("rested-statuses", "pk"))
    )


register_check("message statuses: waiting", _unrelayed, lambda address: queue_relays([address.pk]))
register_check("message: to be answered", _unended, lambda message: end([message.pk]), by_age=True)
register_check("channel: queued", UpdateChannel.untold, UpdateChannel.tell_again)
