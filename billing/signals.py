"""The signals that billing sends."""

from django.dispatch import Signal

# Arguments: `connection` and `kind` (PeriodNotice.Kind). The end of a trial or paid period is noted, once; sent
# inside the transaction.
period_noted = Signal()
