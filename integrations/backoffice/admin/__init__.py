"""The admin pages that combine features: connections, outgoing calls, state changes, applications and locations."""

from integrations.backoffice.admin import connections, general, outgoing_calls, state_changes  # noqa: F401
