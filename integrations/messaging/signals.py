"""Signals that text messages send to the apps above them."""

from django.dispatch import Signal

# `keys` are the messages that got their position in the feed. It is sent in the same transaction, once for each
# message.
messages_placed = Signal()
