"""Questions to Altegio that a person at a terminal waits for: they change nothing there, so they need no row."""

import time
from datetime import timedelta

from django.utils import timezone

from integrations.altegio.answers import Answer, Outcome
from integrations.altegio.requests import ApiRequest
from integrations.outbox import rate
from integrations.outbox.decisions import FIRST_DELAY
from integrations.outbox.executor import send

# Seconds. A full minute of the budget passes in less; a longer wait is a pause that Altegio asked for.
MAX_WAIT = 90.0


def ask_now(call: ApiRequest) -> Answer:
    """Ask at once, within the budget shared with the workers; wait for a slot of it, at most `MAX_WAIT`.

    If there is none in that time, nothing is sent: the answer, LIMITED and without a code, says until when.
    """
    ends_at = time.monotonic() + MAX_WAIT
    while isinstance(slot := rate.take_slot(), rate.Wait):
        if time.monotonic() + slot.seconds > ends_at:
            return _not_before(slot.seconds)
        time.sleep(min(slot.seconds, 1.0))
    try:
        answer = send(call)
    finally:
        rate.settle(slot)
    if answer.outcome is Outcome.LIMITED:
        rate.pause(FIRST_DELAY if answer.retry_after is None else answer.retry_after)
    return answer


def _not_before(seconds: float) -> Answer:
    until = timezone.now() + timedelta(seconds=seconds)
    text = f"Altegio lets nobody ask until {until:%Y-%m-%d %H:%M:%S} UTC, because there were too many calls."
    return Answer(Outcome.LIMITED, message=text, retry_after=seconds)
