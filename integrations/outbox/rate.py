"""One call budget for all workers and all kinds: sliding windows of a second and a minute.

"No second and no minute ever holds more" (INTERFACE.md) is meant where the calls arrive. A call
arrives between the moment it is allowed and the moment it is answered; so a slot is dated when it is
given and dated again when the call has ended (`settle`), by at most `SETTLE_MOST`. The budget stands in
the database, which is always there: an emptied Redis cannot forget what was sent.
"""

import time
from dataclasses import dataclass

from django.conf import settings
from django.db import connection, transaction

from integrations.outbox.models import RateBudget

NAME = "altegio"
SECOND, MINUTE = 1.0, 60.0
SETTLE_MOST = 0.25


@dataclass(frozen=True)
class Slot:
    """The permission for one call, given at `stamp` (seconds since the epoch)."""

    stamp: float


@dataclass(frozen=True)
class Wait:
    """No slot now; the earliest in `seconds`."""

    seconds: float


def take_slot() -> Slot | Wait:
    """A slot for one call, or how long to wait. Safe among any number of workers."""
    with transaction.atomic():
        budget = _locked()
        now = _now()
        stamps = _recent(budget.stamps, now)
        wait = max(_wait(stamps, now), budget.pause_until - now)
        if wait > 0:
            return Wait(wait)
        budget.stamps = [*stamps, now]
        budget.save(update_fields=["stamps"])
        return Slot(now)


def settle(slot: Slot, *, used: bool = True) -> None:
    """The call of this slot has ended: date it again; or give it back where no call was made."""
    with transaction.atomic():
        budget = _locked()
        stamps: list[float] = budget.stamps
        if slot.stamp in stamps:
            stamps.remove(slot.stamp)
            if used:
                stamps.append(min(_now(), slot.stamp + SETTLE_MOST))
        budget.stamps = sorted(stamps)
        budget.save(update_fields=["stamps"])


def pause(seconds: float) -> None:
    """Altegio answered 429: no call of anyone for so long."""
    with transaction.atomic():
        budget = _locked()
        budget.pause_until = max(budget.pause_until, _now() + seconds)
        budget.save(update_fields=["pause_until"])


def used_in_the_last_minute() -> int:
    """How many calls the last minute holds."""
    budget = RateBudget.objects.filter(name=NAME).first()
    return len(_recent(budget.stamps, _now())) if budget else 0


def _locked() -> RateBudget:
    locked = RateBudget.objects.select_for_update()
    return locked.filter(name=NAME).first() or locked.get_or_create(name=NAME)[0]


def _now() -> float:
    """The database's clock where there is one, so that several hosts agree."""
    if connection.vendor != "postgresql":
        return time.time()
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())")
        return float(cursor.fetchone()[0])


def _recent(stamps: list[float], now: float) -> list[float]:
    # A stamp from the future is left from before the clock was set back: it would block for as long.
    return [stamp for stamp in stamps if now - MINUTE < stamp <= now + SECOND]


def _wait(stamps: list[float], now: float) -> float:
    waits = [0.0]
    for most, window in (
        (settings.ALTEGIO_REQUESTS_PER_SECOND, SECOND),
        (settings.ALTEGIO_REQUESTS_PER_MINUTE, MINUTE),
    ):
        if len(stamps) >= most:
            waits.append(stamps[-most] + window - now)
    return max(waits)
