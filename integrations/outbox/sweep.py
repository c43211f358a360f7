"""The sweep, which runs each second and finds what the dispatch missed. Any number of runs may overlap.

Rows that are locked elsewhere are left to the next sweep: one comes each second, and each run that waited would hold
a thread of the worker.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

import structlog
from django.db import transaction
from django.utils import timezone

from integrations.connections.models import Connection
from integrations.outbox.call_kinds import CALL_KINDS, kind_of
from integrations.outbox.models import IDLE, CallState, OutgoingCall
from integrations.outbox.signals import call_ended
from partner_portal.core.queues import Queue
from partner_portal.core.skip_locked import skip_locked

log = structlog.get_logger(__name__)
BATCH = 200


def recover_lost_calls() -> int:
    """Take back the calls of dead workers, which may or may not have been sent. Return how many."""
    now = timezone.now()
    lost = OutgoingCall.objects.filter(state=CallState.SENDING, lease_until__lt=now)
    with transaction.atomic():
        free = OutgoingCall.objects.filter(pk__in=list(skip_locked(lost).values_list("pk", flat=True)))
        recovered = free.update(state=CallState.UNCONFIRMED, due_at=now, lease=None, lease_until=None)
    if recovered:
        log.warning("calls_recovered", count=recovered)
    return recovered


def expire_late_calls() -> int:
    """End the waiting calls whose deadline has passed, and return how many."""
    expired, busy = 0, set[int | None]()
    while True:
        known = len(busy)
        batch = _expire_batch(timezone.now(), busy)
        expired += batch
        if not batch and len(busy) == known:
            return expired


def _expire_batch(now: datetime, busy: set[int | None]) -> int:
    """End some late calls, add to `busy` the connections that are locked elsewhere, and return how many ended.

    Calls of other connections do not wait behind the busy ones, however many these are.
    """
    with transaction.atomic():
        late = OutgoingCall.objects.filter(state__in=IDLE, deadline_at__lte=now)
        first = EXPIRY.ready(late).exclude(connection__in=busy).order_by("deadline_at", "id")
        chosen = list(first[:BATCH])
        free = _hold_subjects(chosen)
        busy |= {call.connection_id for call in chosen} - {call.connection_id for call in free}
        calls = list(skip_locked(first.filter(pk__in=[call.pk for call in free])))
        EXPIRY.work(calls, _expire)
    return len(calls)


def _hold_subjects(chosen: Sequence[OutgoingCall]) -> list[OutgoingCall]:
    """Lock the rows that the calls are about before the calls, as everywhere: whoever holds them changes the calls
    next.

    Return the calls whose connection nobody else has locked.
    """
    connections = Connection.objects.filter(pk__in={call.connection_id for call in chosen}).order_by("pk")
    held = {None, *skip_locked(connections, no_key=True).values_list("pk", flat=True)}
    free = [call for call in chosen if call.connection_id in held]
    of_kind: dict[str, list[OutgoingCall]] = defaultdict(list)
    for call in free:
        of_kind[call.kind].append(call)
    for name, same in of_kind.items():
        if kind := CALL_KINDS.get(name):
            kind.hold(same)
    return free


def _expire(calls: Sequence[OutgoingCall]) -> None:
    now = timezone.now()
    for call in calls:
        call.state = CallState.EXPIRED
        call.reason = call.reason or "Its deadline has passed."
        _end(call.pk, now, call.reason)
        kind_of(call).expired(call, now)
        call_ended.send(sender=OutgoingCall, call=call, reason=call.reason)


def _end(call_id: int, now: datetime, reason: str) -> None:
    OutgoingCall.objects.filter(pk=call_id).update(state=CallState.EXPIRED, finished_at=now, reason=reason)


def _end_silently(call_id: int) -> None:
    """Expire the call without its consequences, which raised, so that the calls behind it go on."""
    _end(
        call_id,
        timezone.now(),
        "Its deadline has passed. Its consequences failed; see the dead letters.",
    )


def _expire_again(call_id: int) -> None:
    """Let the call expire once more, as staff want, so that its consequences are applied."""
    OutgoingCall.objects.filter(pk=call_id, state=CallState.EXPIRED).update(
        state=CallState.UNCONFIRMED, finished_at=None, reason=""
    )


# Few attempts: until it has ended, the call holds up those behind it.
EXPIRY = Queue.register(
    Queue(
        "expiry of calls",
        "Calls whose time is over",
        OutgoingCall,
        max_failures=3,
        give_up=_end_silently,
        retry=_expire_again,
    )
)
