"""The signal sent after a location's webhook settings were read."""

from django.dispatch import Signal

# Arguments: `connection`, and `is_present` for our address. It is sent in the transaction that stores the settings.
webhook_settings_read = Signal()
