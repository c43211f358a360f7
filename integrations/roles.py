"""What the roles may do in the marketplace, beyond looking."""

from accounts.roles import Role, register_rights

register_rights(
    Role.SUPPORT,
    "integrations.change_connection",
    "integrations.change_outgoingcall",
    "integrations.change_alarm",
    "integrations.change_callback",
    "integrations.change_chain",
    "integrations.change_delivery",
    "integrations.change_event",
    "integrations.change_savedcall",
    "integrations.change_sendername",
    "integrations.change_statusbatch",
    "partner_portal.change_faileditem",
)
