"""What the roles may do in the marketplace, beyond looking."""

from accounts.roles import Role, register_rights

register_rights(
    Role.SUPPORT,
    "integrations.change_connection",
    "integrations.change_outgoingcall",
    "integrations.change_alarm",
)
