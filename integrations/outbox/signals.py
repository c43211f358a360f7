"""What others hear of calls."""

from django.dispatch import Signal

# Sent inside the transaction that ends a call for good; `call`, `reason`. For alerts and counters. `is_withdrawn`:
# who queued it took it back while it waited (`queue.cancel`), so that nobody needs it.
call_ended = Signal()
# Sent inside the transaction that sets back once more a call that struggles for long; `call`, `reason`.
call_struggles = Signal()
