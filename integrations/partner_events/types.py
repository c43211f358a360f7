"""The types of events for the partner's own systems (docs/interface.md §5a).

They are published by `integrations/api/publishers.py`, `integrations/webhooks/publishing.py` and
`billing/publishing.py`. A test compares this list with the document.
"""

from typing import Final

CONNECTION_STATES: Final = {
    "activated": "connection.activated",
    "frozen": "connection.frozen",
    "unfrozen": "connection.unfrozen",
    "uninstalled": "connection.uninstalled",
    "expired": "connection.expired",
    "failed": "connection.failed",
    "conflict": "connection.conflict",
}
CONNECTION_CHANGED: Final = "connection.changed"
PAYMENT_REPORTED: Final = "payment.reported"
PAYMENT_FAILED: Final = "payment.failed"
PAYMENT_REFUNDED: Final = "payment.refunded"
PAYMENT_COLLECTED: Final = "payment.collected"
SUBSCRIPTION_ENDING: Final = "subscription.ending"
SUBSCRIPTION_OVERDUE: Final = "subscription.overdue"
SENDER_NAMES_SYNCED: Final = "sender_names.synced"
SENDER_NAMES_FAILED: Final = "sender_names.failed"
MESSAGE_REQUESTED: Final = "message.requested"
ALTEGIO_EVENTS: Final = "altegio.events"
# Sent to one address alone, when somebody tries it.
TEST: Final = "webhook.test"

ALL: Final = (
    *CONNECTION_STATES.values(),
    CONNECTION_CHANGED,
    *(PAYMENT_REPORTED, PAYMENT_FAILED, PAYMENT_REFUNDED, PAYMENT_COLLECTED),
    *(SUBSCRIPTION_ENDING, SUBSCRIPTION_OVERDUE),
    *(SENDER_NAMES_SYNCED, SENDER_NAMES_FAILED),
    *(MESSAGE_REQUESTED, ALTEGIO_EVENTS),
)
# A reader of the feed sees these only if a key with this scope may read the same elsewhere (docs/interface.md, §5a).
SCOPES: Final = {
    **dict.fromkeys((PAYMENT_REPORTED, PAYMENT_FAILED, PAYMENT_REFUNDED, PAYMENT_COLLECTED), "billing"),
    **dict.fromkeys((SENDER_NAMES_SYNCED, SENDER_NAMES_FAILED, MESSAGE_REQUESTED), "sms"),
    # They hold clients' names and numbers, which no call of the API shows: for keys that may have them sent anywhere.
    ALTEGIO_EVENTS: "webhooks",
}
# Their data holds the connection as the API shows it.
OF_CONNECTIONS: Final = (*CONNECTION_STATES.values(), CONNECTION_CHANGED, SUBSCRIPTION_ENDING, SUBSCRIPTION_OVERDUE)
CHOICES: Final = [(name, name) for name in ALL]
UNKNOWN: Final = f"There is no type {{input}}. The types are: {', '.join(ALL)}."
