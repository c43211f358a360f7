"""What is told of a person to whatever shows them elsewhere; each is sent inside the transaction of the change."""

from django.dispatch import Signal

# `user`: their address, name, phone number or linked Altegio users have changed.
person_changed = Signal()
# `user`: the partner's customer has this account from now on.
customer_recognised = Signal()
