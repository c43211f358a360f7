"""What others hear of calls."""

from django.dispatch import Signal

# Sent inside the transaction that ends a call for good; `call`, `reason`. For alerts and counters.
call_ended = Signal()
# Sent inside the transaction that sets back once more a call that struggles for long; `call`, `reason`.
call_struggles = Signal()
