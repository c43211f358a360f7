"""Signals of activation."""

from django.dispatch import Signal

# Sent inside the transaction that adopts `connection`, which was connected before the portal.
location_adopted = Signal()
