"""Delays before a call's next attempt."""

import random

from django.utils import timezone

from integrations.outbox.decisions import FIRST_DELAY
from integrations.outbox.models import OutgoingCall

MAX_DELAY = 60.0


def back_off_seconds(setbacks: int) -> float:
    """Return about 1 s after the first setback, then doubling, with jitter, to at most 60 s."""
    doubled: float = FIRST_DELAY * 2 ** min(setbacks, 10)
    return min(doubled * random.uniform(0.8, 1.2), MAX_DELAY)  # noqa: S311


def before_deadline(call: OutgoingCall, seconds: float) -> float:
    """Return the wait, cut to half of the time left if it would outlast the call: one more attempt may succeed."""
    if call.deadline_at is None:
        return seconds
    left = (call.deadline_at - timezone.now()).total_seconds()
    return seconds if seconds < left else max(left / 2, FIRST_DELAY)


def longest(call: OutgoingCall, *, at_least: float, asked: float | None) -> float:
    """Return the longer of the required wait and the wait that Altegio asks for, whatever its answer was."""
    return at_least if asked is None else max(at_least, before_deadline(call, asked))
