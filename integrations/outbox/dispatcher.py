"""The dispatcher: executes calls while any is due, within the budget shared by all workers."""

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

# Seconds that a dispatcher waits for a slot of the budget; after a longer wait the sweep starts the next one.
PATIENCE = 2.0
MAX_RUN = 30.0
# Each executes one call at a time: enough to use the budget though every answer takes seconds, and few enough to
# leave the worker's other threads to other tasks.
MAX_DISPATCHERS = 8
# The remaining dispatchers stay free for urgent calls, however slow the answers to patient ones are.
PATIENT_DISPATCHERS = 6

_places = threading.BoundedSemaphore(MAX_DISPATCHERS)
_patient_places = threading.BoundedSemaphore(PATIENT_DISPATCHERS)
_stopping = threading.Event()


def stop_dispatchers() -> None:
    """Finish the calls in hand and take no others: the process is ending."""
    _stopping.set()


def _no_help() -> None:
    """Start no other dispatcher."""


def dispatch_due(call_for_help: Callable[[], None] = _no_help) -> int:
    """Execute calls until none is due, and return how many.

    `call_for_help` is called when more calls wait than this dispatcher can execute at once.
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
    """Return the next calls that may go now; two show whether another dispatcher would find work."""
    return [] if token_is_stopped() else next_in_line(2)


def _can_wait(call: InLine) -> bool:
    """Return whether a call leaves a part of the budget free, as calls of a large arrival do while their time allows
    it.

    The call is the one that would go first: a share's call (`budget_shares.py`) uses the slot of the call that it
    precedes.
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
