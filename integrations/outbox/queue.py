"""Queueing calls in the outbox, and withdrawing waiting ones."""

import uuid
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from integrations.altegio.answers import Outcome
from integrations.outbox.call_kinds import CallKind
from integrations.outbox.decisions import REFUSED_RESTS
from integrations.outbox.models import IDLE, UNFINISHED, WAITING, Attempt, CallState, OutgoingCall
from integrations.outbox.signals import call_ended
from partner_portal.core.fast_insert import insert
from partner_portal.core.fast_query import Query
from partner_portal.core.middleware import current_request_id
from partner_portal.core.wake import wake


class KeyTakenError(Exception):
    """Raised when a key belongs to another intention, or to a call that has ended; `str()` names the key."""


def new_call(
    kind: type[CallKind],
    key: str,
    *,
    ordering_key: str = "",
    connection_id: int | None = None,
    deadline_at: datetime | None = None,
    state: CallState = CallState.QUEUED,
    delay: float = 0.0,
    **params: Any,
) -> OutgoingCall:
    """Return a call that is not stored yet, due in `delay` seconds.

    `key` is its natural key; `state` UNCONFIRMED asks before sending. Raises ValueError without an `ordering_key` if
    the kind's last write wins.
    """
    if kind.last_write_wins and not ordering_key:
        raise ValueError(f"{kind.name} needs an ordering key: an older one that takes long would end last.")
    now = timezone.now()
    return OutgoingCall(
        kind=kind.name,
        key=key,
        ordering_key=ordering_key,
        connection_id=connection_id,
        params=params,
        priority=kind.priority,
        state=state,
        deadline_at=now + kind.max_age if deadline_at is None and kind.max_age else deadline_at,
        due_at=now + timedelta(seconds=delay),
        created_at=now,
        request_id=current_request_id(),
    )


def queue(calls: Iterable[OutgoingCall]) -> None:
    """Store calls in the caller's transaction.

    A key that exists already must belong to the same intention, and still wait for its end: then the stored call
    serves. Otherwise KeyTakenError is raised: an intention is never swallowed.
    """
    rows = list(calls)
    try:
        with transaction.atomic():
            OutgoingCall.objects.bulk_create(rows, batch_size=500)
    except IntegrityError:
        _store_missing(rows)
    transaction.on_commit(wake_a_dispatcher)


def queue_fresh(calls: Iterable[OutgoingCall]) -> None:
    """Queue calls whose keys were made just now, as `queue` does, but without a lookup: no key can exist already."""
    insert(list(calls))
    transaction.on_commit(wake_a_dispatcher)


def _store_missing(rows: list[OutgoingCall]) -> None:
    there = {call.key: call for call in OutgoingCall.objects.filter(key__in=[row.key for row in rows])}
    missing = []
    for row in rows:
        known = there.setdefault(row.key, row)
        if known is row:
            row.pk = None
            missing.append(row)
        elif not _same_intention(known, row):
            raise KeyTakenError(f"{row.key} is {known.state} already, or means something else.")
    OutgoingCall.objects.bulk_create(missing, batch_size=500)


def _same_intention(known: OutgoingCall, row: OutgoingCall) -> bool:
    """Return whether the stored call will send what this row would."""
    stored = (known.kind, known.connection_id, known.params)
    return known.state in UNFINISHED and stored == (row.kind, row.connection_id, row.params)


def queue_newest(kind: type[CallKind], coalesce_key: str, **fields: Any) -> None:
    """Make sure that a call about `coalesce_key` will go out that is built after this transaction's commit.

    One that is still queued serves: it is locked until the commit, so that no worker builds it before.
    """
    queue_newest_of_each(kind, {coalesce_key: fields})


_lock_queued = Query(
    lambda *keys: (
        OutgoingCall.objects.select_for_update()
        .filter(coalesce_key__in=keys, state=CallState.QUEUED)
        .order_by("coalesce_key")
        .values_list("coalesce_key")
    ),
    # The partial index holds only queued calls; PostgreSQL uses it only if it sees the state in the query.
    prepare=False,
)


def queue_newest_of_each(kind: type[CallKind], coalesce_keys: Mapping[str, Mapping[str, Any]]) -> None:
    """Do what `queue_newest` does for many subjects, each with its call's fields, in a constant number of queries."""
    if not coalesce_keys:
        return
    with transaction.atomic(savepoint=False):
        queued = {key for (key,) in _lock_queued.all(*coalesce_keys)}
        _renew(kind, queued)
        while missing := coalesce_keys.keys() - queued:
            # The keys are new, so a conflict can only be with a queued call about the subject, which serves.
            new = [_new_about(kind, coalesce_key, coalesce_keys[coalesce_key]) for coalesce_key in sorted(missing)]
            insert(new, ignore_conflicts=True)
            queued = {key for (key,) in _lock_queued.all(*coalesce_keys)}
    transaction.on_commit(wake_a_dispatcher)


def _renew(kind: type[CallKind], queued: Collection[str]) -> None:
    """Let a queued call serve a new intention: it is not given up soon, nor rests long because of old refusals."""
    if kind.max_age is None or not queued:
        return
    now = timezone.now()
    waiting = OutgoingCall.objects.filter(coalesce_key__in=queued, state=CallState.QUEUED)
    waiting.filter(deadline_at__lt=now + kind.max_age / 2).update(deadline_at=now + kind.max_age)
    soon = now + timedelta(seconds=REFUSED_RESTS)
    refused = Attempt.objects.filter(call=OuterRef("pk"), outcome=Outcome.REFUSED)
    waiting.filter(Exists(refused), due_at__gt=soon).update(due_at=soon)


def _new_about(kind: type[CallKind], coalesce_key: str, fields: Mapping[str, Any]) -> OutgoingCall:
    call = new_call(kind, f"{coalesce_key}:{uuid.uuid4().hex}", **fields)
    call.coalesce_key = coalesce_key
    return call


def cancel(calls: QuerySet[OutgoingCall], reason: str) -> int:
    """End those of `calls` that wait, and return how many. One that is being sent is left to its answer."""
    with transaction.atomic(savepoint=False):
        waiting = list(calls.filter(state__in=IDLE).select_for_update(of=("self",), no_key=True).order_by("pk"))
        for call in waiting:
            _end_unsent(call, reason)
    return len(waiting)


def _end_unsent(call: OutgoingCall, reason: str) -> None:
    """Cancel a locked call that waits, and announce its end."""
    call.state, call.reason, call.finished_at = CallState.CANCELLED, reason[:500], timezone.now()
    call.save(update_fields=["state", "reason", "finished_at"])
    call_ended.send(sender=OutgoingCall, call=call, reason=call.reason, is_withdrawn=True)


def hurry(calls: QuerySet[OutgoingCall]) -> int:
    """Make waiting calls due now, and release held ones, which ask before they send. Return how many."""
    now = timezone.now()
    released = calls.filter(state=CallState.HELD).update(state=CallState.UNCONFIRMED, due_at=now)
    hurried = calls.filter(state__in=WAITING).update(due_at=now)
    transaction.on_commit(wake_a_dispatcher)
    return max(released, hurried)


def wake_a_dispatcher() -> None:
    """Wake a worker to execute the waiting calls."""
    wake("integrations.outbox.tasks.dispatch")
