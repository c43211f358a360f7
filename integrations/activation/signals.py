"""What activation tells to whoever listens."""

from django.dispatch import Signal

# `connection`: it was connected before the portal, and is known here from now on; inside the transaction.
location_adopted = Signal()
