"""What the messages tell to whoever lies above."""

from django.dispatch import Signal

# `keys`: of the messages that were given their place in the feed; sent in the same transaction, once for each.
messages_placed = Signal()
