"""What is told of a person to whatever shows them elsewhere; each is sent inside the transaction of the change."""

from django.dispatch import Signal

# `user`: their address, name, phone number or linked Altegio users have changed.
person_changed = Signal()
# `user`: from now on they are a customer of the partner, or are none any more.
customer_changed = Signal()
