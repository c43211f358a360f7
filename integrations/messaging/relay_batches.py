"""Which statuses of an address go to Altegio now, and in which batches; `call_kinds.py` carries them.

A message's statuses never pass each other: a newer one rests while Altegio may still be at an older one, and a
passing one that comes after a final one is left out. Other messages of the address wait for neither.

Parts of a refused list are many, and most tenants share one address: what was not refused takes turns with them, and
with the parts of one list those of any other. Only newer statuses of their own messages go behind them.
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
# Where a call is tried again and again, its messages are looked at again no sooner.
SHORTEST_REST = timedelta(seconds=1)
# Turns are drawn by lot, so that whatever comes meanwhile each side has its own.
HALF = 0.5
# Of the largest parts, so many are looked at for one that is behind no other.
PARTS_LOOKED_AT = 20


def free_batches() -> QuerySet[StatusBatch]:
    """Return what waits, does not rest, and is carried by no call that goes on."""
    rested = Q(rests_until=None) | Q(rests_until__lte=timezone.now())
    return StatusBatch.objects.filter(rested, ~Q(call__state__in=UNFINISHED), state=BatchState.WAITING)


def carried_by(call: OutgoingCall) -> list[int]:
    """The batches that this call has taken and not ended."""
    taken = StatusBatch.objects.filter(call=call, state=BatchState.WAITING)
    return list(taken.order_by("first_id").values_list("pk", flat=True))


@transaction.atomic
def take_batches(call: OutgoingCall) -> tuple[list[int], datetime | None]:
    """Take the oldest free batches, up to a call's worth, or a part of a refused one, which goes alone.

    Returns them, and until when the first of those rest that were held back, where there are such.
    """
    address = CallbackAddress.objects.select_for_update(no_key=True).get(pk=call.params["address"])
    taken: list[int] = []
    # What is held back is not free any more, so that this ends.
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
    """Altegio may still be at what this call carries: newer statuses of the same messages wait for so long."""
    StatusBatch.objects.filter(pk__in=carried_by(call)).update(rests_until=timezone.now() + _settling())


def split(batches: Sequence[StatusBatch], statuses: Sequence[int]) -> None:
    """Put the statuses of refused batches into two halves that go by themselves, the older half no later."""
    middle = (len(statuses) + 1) // 2
    for half in (statuses[:middle], statuses[middle:]):
        move(half, batches, alone=True)


def move(statuses: Collection[int], batches: Sequence[StatusBatch], **fields: Any) -> None:
    """Put some statuses of these locked batches of one address into batches of their own, all of them counted.

    One for each day on which they came: a later correction changes the figures that they stand in.
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
    """Return what was not refused, or a part of what was; while both wait, either."""
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
    """The oldest part that is behind no other, so that each has its end; or the newest of the largest.

    For a large one may be good as a whole, and a new one need not wait until a thousand of another list stand alone.
    """
    oldest = free.order_by("first_id", "id")
    largest = free.order_by("-size", "-first_id", "-id")
    for part in (largest if random() < HALF else oldest)[:PARTS_LOOKED_AT]:  # noqa: S311
        # One by one: asked of all parts at once, PostgreSQL would read every status there is.
        if not _statuses([part]).filter(Exists(_earlier_in_parts())).exists():
            return part
    return oldest.first()


def _earlier_in_parts() -> QuerySet[MessageStatus]:
    """For a status: the earlier ones of its message that wait in other parts of what was refused."""
    same = MessageStatus.objects.filter(message_id=OuterRef("message_id"), address=OuterRef("address"))
    parts = same.filter(batch__state=BatchState.WAITING, batch__alone=True)
    return parts.filter(~Q(batch=OuterRef("batch")), pk__lt=OuterRef("pk"))


def _put_behind_parts(batches: Sequence[StatusBatch], address: CallbackAddress) -> None:
    """Let statuses go after the parts of a refused list that hold earlier ones of their messages, as a part, too."""
    parts = StatusBatch.objects.filter(address=address, state=BatchState.WAITING, alone=True)
    if any(batch.alone for batch in batches) or not parts.exists():
        return
    behind = list(_statuses(batches).filter(Exists(_earlier_in_parts())).values_list("pk", "batch"))
    if behind:
        parted = [batch for batch in batches if batch.pk in {batch for _status, batch in behind}]
        move([status for status, _batch in behind], parted, alone=True)


def _hold_back(batches: Sequence[StatusBatch], address: CallbackAddress, call: OutgoingCall) -> None:
    """Let those rest whose message Altegio may still be at."""
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
    """A final status stays against a passing one that comes after it."""
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
    """Note what these batches hold now; empty ones are gone."""
    held = StatusBatch.objects.filter(pk__in=batches).annotate(count=Count("statuses"), first=Min("statuses"))
    rows = list(held)
    StatusBatch.objects.filter(pk__in=[row.pk for row in rows if not row.count]).delete()
    changed = [row for row in rows if row.count and (row.count, row.first) != (row.size, row.first_id)]
    for row in changed:
        row.size, row.first_id = row.count, row.first
    StatusBatch.objects.bulk_update(changed, ["size", "first_id"], batch_size=500)
