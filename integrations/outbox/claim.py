"""Claiming: which call goes next, taken by one worker alone, under a lease."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from integrations.altegio.client import CONNECT_TIMEOUT
from integrations.outbox.models import UNFINISHED, WAITING, CallState, OutgoingCall

# Beside the call's own time-out: what the worker needs around it.
LEASE_MARGIN = 5.0


@dataclass(frozen=True)
class Claim:
    """A call that this worker alone may carry until the lease ends."""

    call: OutgoingCall
    in_doubt: bool  # it may have happened already


def lease_length() -> timedelta:
    """How long a worker may hold a call: one HTTP call and a margin."""
    return timedelta(seconds=CONNECT_TIMEOUT + settings.ALTEGIO_TIMEOUT + LEASE_MARGIN)


def due_calls(now: datetime) -> QuerySet[OutgoingCall]:
    """What may go now, first things first: priority, then the earliest deadline, then age.

    A call waits for every unfinished earlier one in its lane; the empty lane has no order.
    """
    earlier = OutgoingCall.objects.filter(lane=OuterRef("lane"), id__lt=OuterRef("id"), state__in=UNFINISHED)
    return (
        OutgoingCall.objects.filter(state__in=WAITING, due_at__lte=now)
        .filter(Q(deadline_at=None) | Q(deadline_at__gt=now))
        .filter(Q(lane="") | ~Exists(earlier))
        .order_by("priority", F("deadline_at").asc(nulls_last=True), "id")
    )


def claim_next() -> Claim | None:
    """The next call, or None when nothing may go now."""
    now = timezone.now()
    with transaction.atomic():
        due = due_calls(now)
        if connection.features.has_select_for_update_skip_locked:
            due = due.select_for_update(skip_locked=True, of=("self",))
        call = due.first()
        if call is None:
            return None
        in_doubt = call.state == CallState.DOUBTFUL
        call.state = CallState.SENDING
        call.lease = uuid.uuid4()
        call.lease_until = now + lease_length()
        call.tries += 1
        # On SQLite the row is held by the exclusive transaction; on PostgreSQL by its lock.
        call.save(update_fields=["state", "lease", "lease_until", "tries"])
        return Claim(call, in_doubt)
