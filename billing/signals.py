"""What billing tells of to whoever listens."""

from django.dispatch import Signal

# `connection`, `kind` (PeriodNotice.Kind): the end of a trial or paid period is noted, once; in the transaction.
period_noted = Signal()
