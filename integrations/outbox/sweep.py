"""The sweep: beat's certainty behind the dispatch's speed. Each step may be run by any number at once."""

from datetime import datetime

import structlog
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from integrations.outbox.carry import call_ended
from integrations.outbox.kinds import kind_of
from integrations.outbox.models import CallState, OutgoingCall

log = structlog.get_logger(__name__)
BATCH = 200


def recover_lost_calls() -> int:
    """Take back the calls of dead workers: whether they were sent is not known. Returns how many."""
    now = timezone.now()
    lost = OutgoingCall.objects.filter(state=CallState.SENDING, lease_until__lt=now)
    recovered = lost.update(state=CallState.DOUBTFUL, due_at=now, lease=None, lease_until=None)
    if recovered:
        log.warning("calls_recovered", count=recovered)
    return recovered


def expire_late_calls() -> int:
    """End the waiting calls whose deadline has passed. Returns how many."""
    expired = 0
    while batch := _expire_batch(timezone.now()):
        expired += batch
    return expired


def _expire_batch(now: datetime) -> int:
    with transaction.atomic():
        late = _locked(
            OutgoingCall.objects.filter(
                state__in=(CallState.HELD, CallState.QUEUED, CallState.DOUBTFUL), deadline_at__lte=now
            ).order_by("deadline_at", "id")
        )[:BATCH]
        calls = list(late)
        for call in calls:
            call.state = CallState.EXPIRED
            call.reason = call.reason or "Its time was over."
            OutgoingCall.objects.filter(pk=call.pk).update(
                state=CallState.EXPIRED, finished_at=now, reason=call.reason
            )
            kind_of(call).expired(call, now)
            call_ended.send(sender=OutgoingCall, call=call, reason=call.reason)
    return len(calls)


def _locked(calls: QuerySet[OutgoingCall]) -> QuerySet[OutgoingCall]:
    if connection.features.has_select_for_update_skip_locked:
        return calls.select_for_update(skip_locked=True, of=("self",))
    return calls
