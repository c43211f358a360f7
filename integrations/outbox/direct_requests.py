"""A question to Altegio that a person at a terminal waits for: it changes nothing there, so it needs no row."""

import time

from integrations.altegio.answers import Answer
from integrations.altegio.requests import ApiRequest
from integrations.outbox import rate
from integrations.outbox.executor import send


def ask_now(call: ApiRequest) -> Answer:
    """Ask at once, within the budget shared with the workers; waits for a slot of it."""
    while isinstance(slot := rate.take_slot(), rate.Wait):
        time.sleep(min(slot.seconds, 1.0))
    try:
        return send(call)
    finally:
        rate.settle(slot)
