"""How long a call rests before its next try."""

import random

from django.utils import timezone

from integrations.outbox.decisions import FIRST_DELAY
from integrations.outbox.models import OutgoingCall

MAX_DELAY = 60.0


def back_off_seconds(setbacks: int) -> float:
    """About 1 s after the first setback, then doubling, with jitter, to at most 60 s."""
    doubled: float = FIRST_DELAY * 2 ** min(setbacks, 10)
    return min(doubled * random.uniform(0.8, 1.2), MAX_DELAY)  # noqa: S311


def before_deadline(call: OutgoingCall, seconds: float) -> float:
    """A wait that would outlast the call is cut to half of the time left: one more try may be the good one."""
    if call.deadline_at is None:
        return seconds
    left = (call.deadline_at - timezone.now()).total_seconds()
    return seconds if seconds < left else max(left / 2, FIRST_DELAY)


def longest(call: OutgoingCall, *, at_least: float, asked: float | None) -> float:
    """The longer of what must be waited for and what Altegio asks for, on whatever answer it says so."""
    return at_least if asked is None else max(at_least, before_deadline(call, asked))
