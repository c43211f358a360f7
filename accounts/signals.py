"""Signals of changes to a person, for whatever shows them elsewhere; sent inside the transaction of the change."""

from django.dispatch import Signal

# Argument `user`: their address, name, phone number or linked Altegio users have changed.
person_changed = Signal()
# Argument `user`: they have become a customer of the partner, or are none any more.
customer_changed = Signal()
