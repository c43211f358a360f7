"""The choice of the statuses that are sent to an address now, and in which batches; `call_kinds.py` sends them.

The statuses of one message never overtake each other. A newer one rests while Altegio may still be processing an
older one, and a passing status that comes after a final one is left out. Other messages of the address do not wait.

A refused list is split into many parts, and most tenants share one address. So batches that were not refused take
turns with these parts, and so do the parts of different lists. Only newer statuses of the parts' own messages queue
behind them.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta
from random import random
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Exists, Min, OuterRef, Q, QuerySet
from django.utils import timezone

from integrations.messaging.models import FINAL, PASSING, BatchState, CallbackAddress, MessageStatus, StatusBatch
from integrations.messaging.volumes import counted_on, tally_once
from integrations.outbox.models import UNFINISHED, OutgoingCall

MAX_IN_A_CALL = 1000
# The shortest rest behind a call that is still being retried.
SHORTEST_REST = timedelta(seconds=1)
# Turns are drawn at random, so that each side gets its share whatever arrives in the meantime.
HALF = 0.5
# How many parts are examined to find one that queues behind no other.
PARTS_LOOKED_AT = 20


def free_batches() -> QuerySet[StatusBatch]:
    """Return the waiting batches that do not rest and that no unfinished call has taken."""
    rested = Q(rests_until=None) | Q(rests_until__lte=timezone.now())
    return StatusBatch.objects.filter(rested, ~Q(call__state__in=UNFINISHED), state=BatchState.WAITING)


def carried_by(call: OutgoingCall) -> list[int]:
    """Return the keys of the batches that this call has taken and that are still waiting."""
    taken = StatusBatch.objects.filter(call=call, state=BatchState.WAITING)
    return list(taken.order_by("first_id").values_list("pk", flat=True))


@transaction.atomic
def take_batches(call: OutgoingCall) -> tuple[list[int], datetime | None]:
    """Take the oldest free batches, up to `MAX_IN_A_CALL` statuses, or one part of a refused list, which goes alone.

    Returns their keys, and the earliest end of a rest among the address's batches that no call has taken, or None.
    """
    address = CallbackAddress.objects.select_for_update(no_key=True).get(pk=call.params["address"])
    taken: list[int] = []
    # The loop ends, because each batch that is held back is no longer free.
    while not taken and (batches := _choose(address)):
        _hold_back(batches, address, call)
        _leave_out_overtaken(batches)
        _put_behind_parts(batches, address)
        left = StatusBatch.objects.filter(pk__in=[batch.pk for batch in batches], state=BatchState.WAITING)
        taken = list(left.order_by("first_id").values_list("pk", flat=True))
    StatusBatch.objects.filter(pk__in=taken).update(call=call, rests_until=None)
    resting = StatusBatch.objects.filter(address=address, state=BatchState.WAITING, rests_until__gt=timezone.now())
    nobodys = resting.filter(~Q(call__state__in=UNFINISHED))
    return taken, nobodys.aggregate(first=Min("rests_until"))["first"]


def let_rest(call: OutgoingCall) -> None:
    """Let the call's batches rest, so that newer statuses of their messages wait while Altegio may process them."""
    StatusBatch.objects.filter(pk__in=carried_by(call)).update(rests_until=timezone.now() + _settling())


def split(batches: Sequence[StatusBatch], statuses: Sequence[int]) -> None:
    """Move the statuses of refused batches into two new batches, an older and a newer half, that go alone."""
    middle = (len(statuses) + 1) // 2
    for half in (statuses[:middle], statuses[middle:]):
        move(half, batches, alone=True)


def move(statuses: Collection[int], batches: Sequence[StatusBatch], **fields: Any) -> None:
    """Move some statuses of these locked batches of one address into new batches, which are counted already.

    There is one new batch for each day of receipt, because a later correction must change that day's figures.
    """
    tally_once(batches)
    for received_at, some in _by_day(statuses, batches):
        part = StatusBatch.objects.create(
            address_id=batches[0].address_id,
            first_id=min(some),
            size=len(some),
            tallied=True,
            received_at=received_at,
            **fields,
        )
        MessageStatus.objects.filter(pk__in=some).update(batch=part)
    measure([batch.pk for batch in batches])


def _by_day(statuses: Collection[int], batches: Sequence[StatusBatch]) -> Iterable[tuple[datetime, Collection[int]]]:
    if len({counted_on(batch.received_at) for batch in batches}) == 1:
        return [(batches[0].received_at, statuses)]
    days: dict[date, tuple[datetime, list[int]]] = {}
    came = MessageStatus.objects.filter(pk__in=statuses).order_by("pk").values_list("pk", "batch__received_at")
    for status, received_at in came:
        days.setdefault(counted_on(received_at), (received_at, []))[1].append(status)
    return days.values()


def _settling() -> timedelta:
    return timedelta(seconds=settings.ALTEGIO_SETTLING_SECONDS)


def _choose(address: CallbackAddress) -> list[StatusBatch]:
    """Return batches that were not refused, or one part of a refused list; at random if both are free."""
    free = free_batches().filter(address=address).select_for_update(of=("self",))
    chosen = _oldest(free.filter(alone=False))
    if chosen and random() < HALF:  # noqa: S311
        return chosen
    part = _part(free.filter(alone=True))
    return chosen if part is None else [part]


def _oldest(free: QuerySet[StatusBatch]) -> list[StatusBatch]:
    chosen: list[StatusBatch] = []
    room = MAX_IN_A_CALL
    for batch in free.order_by("first_id", "id")[:MAX_IN_A_CALL]:
        if chosen and batch.size > room:
            break
        chosen.append(batch)
        room -= batch.size
    return chosen


def _part(free: QuerySet[StatusBatch]) -> StatusBatch | None:
    """Return the oldest part, or at random the newest of the largest ones, that queues behind no other part.

    If each examined part queues behind another, return the oldest; if there are no parts, None.

    Taking the oldest lets each part come to an end. Taking a large one pays, because it may be accepted as a whole,
    and a new one need not wait until another list's thousand statuses have been sent one by one.
    """
    oldest = free.order_by("first_id", "id")
    largest = free.order_by("-size", "-first_id", "-id")
    for part in (largest if random() < HALF else oldest)[:PARTS_LOOKED_AT]:  # noqa: S311
        # The parts are examined one by one, because PostgreSQL would read every status in one query for all.
        if not _statuses([part]).filter(Exists(_earlier_in_parts())).exists():
            return part
    return oldest.first()


def _earlier_in_parts() -> QuerySet[MessageStatus]:
    """Return a subquery for a status: earlier ones of its message that wait in other parts of a refused list."""
    same = MessageStatus.objects.filter(message_id=OuterRef("message_id"), address=OuterRef("address"))
    parts = same.filter(batch__state=BatchState.WAITING, batch__alone=True)
    return parts.filter(~Q(batch=OuterRef("batch")), pk__lt=OuterRef("pk"))


def _put_behind_parts(batches: Sequence[StatusBatch], address: CallbackAddress) -> None:
    """Move statuses whose message has earlier ones in a refused list's parts into a new part behind them."""
    parts = StatusBatch.objects.filter(address=address, state=BatchState.WAITING, alone=True)
    if any(batch.alone for batch in batches) or not parts.exists():
        return
    behind = list(_statuses(batches).filter(Exists(_earlier_in_parts())).values_list("pk", "batch"))
    if behind:
        parted = [batch for batch in batches if batch.pk in {batch for _status, batch in behind}]
        move([status for status, _batch in behind], parted, alone=True)


def _hold_back(batches: Sequence[StatusBatch], address: CallbackAddress, call: OutgoingCall) -> None:
    """Move statuses into resting batches if Altegio may still be processing an earlier one of their message."""
    now, of_address = timezone.now(), StatusBatch.objects.filter(address=address)
    unsettled = dict(of_address.filter(rests_until__gt=now).values_list("pk", "rests_until"))
    on_their_way = of_address.filter(state=BatchState.WAITING, call__state__in=UNFINISHED).exclude(call=call)
    unsettled |= dict.fromkeys(on_their_way.values_list("pk", flat=True), now + max(_settling(), SHORTEST_REST))
    if not batches or not unsettled:
        return
    older = MessageStatus.objects.filter(message_id=OuterRef("message_id"), address=address, batch__in=unsettled)
    held = list(_statuses(batches).filter(Exists(older)).values_list("pk", "batch"))
    if not held:
        return
    until = max(moment for moment in unsettled.values() if moment)
    parted = [batch for batch in batches if batch.pk in {batch for _status, batch in held}]
    alone = any(batch.alone for batch in parted)
    move([status for status, _batch in held], parted, rests_until=until, alone=alone)


def _leave_out_overtaken(batches: Sequence[StatusBatch]) -> None:
    """Leave out each passing status that comes after a final one of its message."""
    before = Q(pk__lt=OuterRef("pk")) | Q(batch__state=BatchState.SENT)
    same = MessageStatus.objects.filter(message_id=OuterRef("message_id"), address=OuterRef("address"))
    finals = same.filter(before, status__in=FINAL)
    overtaken = _statuses(batches).filter(Exists(finals), status__in=PASSING).values_list("pk", "batch")
    if found := list(overtaken):
        parted = [batch for batch in batches if batch.pk in {batch for _status, batch in found}]
        move([status for status, _batch in found], parted, state=BatchState.LEFT_OUT)


def _statuses(batches: Sequence[StatusBatch]) -> QuerySet[MessageStatus]:
    return MessageStatus.objects.filter(batch__in=[batch.pk for batch in batches]).order_by("pk")


def measure(batches: Collection[int]) -> None:
    """Update the size and the first status of these batches, and delete empty ones."""
    held = StatusBatch.objects.filter(pk__in=batches).annotate(count=Count("statuses"), first=Min("statuses"))
    rows = list(held)
    StatusBatch.objects.filter(pk__in=[row.pk for row in rows if not row.count]).delete()
    changed = [row for row in rows if row.count and (row.count, row.first) != (row.size, row.first_id)]
    for row in changed:
        row.size, row.first_id = row.count, row.first
    StatusBatch.objects.bulk_update(changed, ["size", "first_id"], batch_size=500)
