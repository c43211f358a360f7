"""What happens to messages, for whoever lies above."""

from django.dispatch import Signal

# `ids`, the keys of requested messages that are new: sent inside the transaction that stores them.
message_requested = Signal()
