"""The dispatcher: carries call after call while any is due, within the budget shared by all workers."""

import threading
import time
from collections.abc import Callable

from django.utils import timezone

from integrations.outbox import rate
from integrations.outbox.claim import InLine, claim_next, next_in_line
from integrations.outbox.executor import execute
from integrations.outbox.headroom import activations_can_spare_a_call
from integrations.outbox.models import Priority
from integrations.outbox.token_stop import token_is_stopped

# A dispatcher waits this long for a slot of the budget; for longer waits the sweep starts the next one.
PATIENCE = 2.0
MAX_RUN = 30.0
# Each carries one call at a time: enough to use the budget though every answer takes seconds, and few
# enough to leave the worker's other threads to other tasks.
MAX_DISPATCHERS = 8
# The others are free for what cannot wait, however slow the answers to these are.
PATIENT_DISPATCHERS = 6

_places = threading.BoundedSemaphore(MAX_DISPATCHERS)
_patient_places = threading.BoundedSemaphore(PATIENT_DISPATCHERS)
_stopping = threading.Event()


def stop_dispatchers() -> None:
    """Finish what is in hand and take nothing more up: the process is told to end."""
    _stopping.set()


def _no_help() -> None:
    """Start no other dispatcher."""


def dispatch_due(call_for_help: Callable[[], None] = _no_help) -> int:
    """Carry calls until none is due; returns how many.

    `call_for_help` is called when more calls wait than this dispatcher can carry at once.
    """
    if not _places.acquire(blocking=False):
        return 0
    try:
        return _run(call_for_help)
    finally:
        _places.release()


def is_anything_due() -> bool:
    """Return whether a call may go now."""
    return bool(_next_two())


def _next_two() -> list[InLine]:
    """The next calls that may go now: two tell whether another dispatcher would find work."""
    return [] if token_is_stopped() else next_in_line(2)


def _can_wait(call: InLine) -> bool:
    """Whether a call leaves a part of the budget free: what comes in a large lot does while its time allows it.

    It is asked of what would go first: a share's call (`budget_shares.py`) goes with the slot of what it goes before.
    """
    if call.priority > Priority.NOTIFICATION:
        return True
    return call.turn > 0 and activations_can_spare_a_call(timezone.now())


def _run(call_for_help: Callable[[], None]) -> int:
    executed = 0
    ends_at = time.monotonic() + MAX_RUN
    while time.monotonic() < ends_at and not _stopping.is_set() and (waiting := _next_two()):
        patient = _can_wait(waiting[0])
        if patient and not _patient_places.acquire(blocking=False):
            break
        try:
            slot = rate.take_slot(patient=patient, followed=waiting[0].may_ask)
            if isinstance(slot, rate.Slot):
                executed += _execute_next(slot, call_for_help if len(waiting) > 1 else _no_help)
            elif slot.seconds > PATIENCE:
                break
            else:
                time.sleep(slot.seconds)
        finally:
            if patient:
                _patient_places.release()
    return executed


def _execute_next(slot: rate.Slot, call_for_help: Callable[[], None]) -> int:
    claim = claim_next()
    if claim is None:
        rate.settle(slot, used=False)
        return 0
    call_for_help()
    execute(claim, slot)
    return 1
