"""The pump: carries call after call while any is due, within the budget shared by all workers."""

import threading
import time
from collections.abc import Callable

from django.utils import timezone

from integrations.outbox import rate
from integrations.outbox.carry import carry
from integrations.outbox.claim import claim_next, due_calls
from integrations.outbox.models import Priority
from integrations.outbox.tokens import token_is_stopped

# A pump waits this long for a slot of the budget; for longer waits the sweep starts the next one.
PATIENCE = 2.0
LONGEST_RUN = 30.0
# Each carries one call at a time: enough to use the budget though every answer takes seconds, and few
# enough to leave the worker's other threads to other tasks.
PUMPS_IN_A_PROCESS = 8

_places = threading.BoundedSemaphore(PUMPS_IN_A_PROCESS)
_stopping = threading.Event()
_called = threading.Event()


def stop_pumps() -> None:
    """The process is told to end: what is in hand is finished, nothing more is taken up."""
    _stopping.set()


def run_pump(call_for_help: Callable[[], None] = lambda: None) -> int:
    """Carry calls until none is due; returns how many.

    `call_for_help` is called when more calls wait than this pump can carry at once.
    """
    if not _places.acquire(blocking=False):
        # Those who wait for the budget look again: what has come may be more urgent than what they wait with.
        _called.set()
        return 0
    try:
        return _run(call_for_help)
    finally:
        _places.release()


def something_is_due() -> bool:
    """Whether a call may go now."""
    return _next_priority() is not None


def _next_priority() -> int | None:
    """The priority of the call that would go next, if any may go now."""
    return None if token_is_stopped() else due_calls(timezone.now()).values_list("priority", flat=True).first()


def _run(call_for_help: Callable[[], None]) -> int:
    carried = 0
    ends_at = time.monotonic() + LONGEST_RUN
    while time.monotonic() < ends_at and not _stopping.is_set() and (priority := _next_priority()) is not None:
        slot = rate.take_slot(patient=priority > Priority.NOTIFICATION)
        if isinstance(slot, rate.Wait):
            if slot.seconds > PATIENCE:
                break
            _called.wait(slot.seconds)
            _called.clear()
            continue
        claim = claim_next()
        if claim is None:
            rate.settle(slot, used=False)
            continue
        if something_is_due():
            call_for_help()
        carry(claim, slot)
        carried += 1
    return carried
