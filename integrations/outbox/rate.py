"""One call budget for all workers and all kinds: sliding windows of a second and a minute.

"No second and no minute ever holds more" (docs/interface.md) refers to the calls' arrival, and nobody here sees that
moment. So each call counts at the latest moment at which it may arrive: now, until it is in flight (`start`); then
within `TRANSIT`, or when it was answered (`settle`). The budget is a row in the database: an emptied Redis cannot
forget what was sent.
"""

import time
from dataclasses import dataclass

from django.conf import settings
from django.db import connection, transaction

from integrations.outbox.models import RateBudget

NAME = "altegio"
SECOND, MINUTE = 1.0, 60.0
# A call in flight arrives within this many seconds.
TRANSIT = 0.25
# A slot is valid for this many seconds; after them its worker may be dead, so it no longer counts as being sent now.
GOOD_FOR = 2.0
# The rest of a minute's calls is kept for urgent ones: activations and call notifications.
PATIENT_SHARE = 0.9

Limits = tuple[tuple[int, float], ...]  # each: how many calls, within how many seconds


@dataclass(frozen=True)
class Slot:
    """The permission for one call, which arrives at `latest` or before (seconds since the epoch)."""

    latest: float


@dataclass(frozen=True)
class Wait:
    """The lack of a slot now; the earliest one is free in `seconds`."""

    seconds: float


def take_slot(*, patient: bool = False, followed: bool = False) -> Slot | Wait:
    """Return a slot for one call, or how long to wait. Safe among any number of workers.

    A `patient` call leaves a part of the budget free, so that an urgent one finds room at once. A call that is
    `followed` is a question whose call goes right after it: the minute must have room for both, otherwise the
    question would have to be asked again before the call.
    """
    with transaction.atomic():
        budget = _locked()
        limits = _limits(patient=patient, followed=followed)
        return _give(budget, budget.stamps, _now(), GOOD_FOR, limits)


def start(slot: Slot) -> Slot | Wait:
    """Return the slot to settle later for a call that is sent now, or how long to wait.

    It must wait if the slot is no longer valid, or if Altegio has asked for a pause meanwhile.
    """
    with transaction.atomic():
        budget = _locked()
        # While the slot is valid, all others leave room for it, because each was given beside it.
        return _give(budget, _without(slot, budget.stamps), _now(), TRANSIT, _limits())


def settle(slot: Slot, *, used: bool = True) -> None:
    """End a slot with its call, or return it if the call was not made."""
    with transaction.atomic():
        budget = _locked()
        others = _without(slot, budget.stamps)
        if not used:
            budget.stamps = others
            budget.save(update_fields=["stamps"])
        elif len(others) < len(budget.stamps):
            _write_down(budget, others, min(slot.latest, _now()))


def pause(seconds: float) -> None:
    """Pause all calls for so many seconds, after a 429 from Altegio."""
    with transaction.atomic():
        budget = _locked()
        budget.pause_until = max(budget.pause_until, _now() + seconds)
        budget.save(update_fields=["pause_until"])


def used_in_the_last_minute() -> int:
    """Return how many calls the last minute holds."""
    budget = RateBudget.objects.filter(name=NAME).first()
    return len(_recent(budget.stamps, _now())) if budget else 0


def _locked() -> RateBudget:
    locked = RateBudget.objects.select_for_update()
    return locked.filter(name=NAME).first() or locked.get_or_create(name=NAME)[0]


def _now() -> float:
    """Return the time in seconds, by the database's clock if it is PostgreSQL, so that several hosts agree."""
    if connection.vendor != "postgresql":
        return time.time()
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())")
        return float(cursor.fetchone()[0])


def _give(budget: RateBudget, stamps: list[float], now: float, good_for: float, limits: Limits) -> Slot | Wait:
    recent = _recent(stamps, now)
    wait = max(_wait(recent, now, limits), budget.pause_until - now)
    return Wait(wait) if wait > 0 else _write_down(budget, recent, now + good_for)


def _write_down(budget: RateBudget, others: list[float], latest: float) -> Slot:
    budget.stamps = sorted([*others, latest])
    budget.save(update_fields=["stamps"])
    return Slot(latest)


def _without(slot: Slot, stamps: list[float]) -> list[float]:
    """Return the stamps without one occurrence of this slot's."""
    others = list(stamps)
    if slot.latest in others:
        others.remove(slot.latest)
    return others


def _recent(stamps: list[float], now: float) -> list[float]:
    # A stamp further ahead dates from before the clock was set back; it would block calls until then.
    return [stamp for stamp in stamps if now - MINUTE < stamp <= now + GOOD_FOR]


def _limits(*, patient: bool = False, followed: bool = False) -> Limits:
    """Return how many calls each window may hold. Patient ones are spread over the minute and never fill it."""
    in_a_second, in_a_minute = settings.ALTEGIO_REQUESTS_PER_SECOND, settings.ALTEGIO_REQUESTS_PER_MINUTE
    if patient:
        in_a_minute = max(int(in_a_minute * PATIENT_SHARE), 1)
        in_a_second = max(min(in_a_second - 1, int(in_a_minute / MINUTE)), 1)
    if followed:
        in_a_minute = max(in_a_minute - 1, 1)
    return (in_a_second, SECOND), (in_a_minute, MINUTE)


def _wait(stamps: list[float], now: float, limits: Limits) -> float:
    """Return the seconds until one more call fits. A call that has not arrived yet may arrive now."""
    waits = [min(stamps[-most], now) + window - now for most, window in limits if len(stamps) >= most]
    return max([0.0, *waits])
