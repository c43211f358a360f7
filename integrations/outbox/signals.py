"""Signals about outgoing calls."""

from django.dispatch import Signal

# Sent inside the transaction that ends a call for good; `call`, `reason`. For alerts and counters. `is_withdrawn`:
# the call was cancelled while it waited (`queue.cancel`), so nobody needs it.
call_ended = Signal()
# Sent inside the transaction that sets back once more a call that has failed for long; `call`, `reason`.
call_struggles = Signal()
