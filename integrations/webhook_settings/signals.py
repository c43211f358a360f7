"""What a reading of webhook settings tells to whoever listens."""

from django.dispatch import Signal

# `connection`, `is_present`: sent inside the transaction that notes the reading.
webhook_settings_read = Signal()
