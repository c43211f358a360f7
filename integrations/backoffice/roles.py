"""The rights of the staff roles in the marketplace, beyond viewing."""

from accounts.roles import Role, register_rights

register_rights(
    Role.SUPPORT,
    "connections.change_connection",
    "connections.see_as_owner",
    "outbox.change_outgoingcall",
    "alerts.change_alert",
    "lifecycle.change_callback",
    "connections.change_chain",
    "webhooks.change_delivery",
    "webhooks.change_event",
    "telephony.change_phonecall",
    "telephony.add_exchangewebhook",
    "telephony.change_exchangewebhook",
    "telephony.delete_exchangewebhook",
    "sender_names.change_sendername",
    "messaging.change_statusbatch",
    "core.change_faileditem",
    "contract_drift.change_drift",
    "partner_events.change_webhookdelivery",
)
