"""The status words of SMS gateways and Altegio's number for each (docs/sms_gateways.md has the same table).

Numbers, also as text, are read as Altegio's own (docs/altegio.md §2). SMPP's numbers differ and are not read.
"""

import re
from typing import Any

from integrations.messaging.models import SmsStatus

_DELIVERED, _NOT_DELIVERED = SmsStatus.DELIVERED, SmsStatus.NOT_DELIVERED
_HANDED_OVER, _REJECTED, _NO_FUNDS = SmsStatus.HANDED_OVER, SmsStatus.REJECTED, SmsStatus.NOT_ENOUGH_FUNDS
# The words of each gateway's documentation. Case is ignored, and spaces and dashes count as underscores.
WORDS: dict[str, dict[str, SmsStatus]] = {
    "SMPP 3.4, stat of a receipt": {
        "DELIVRD": _DELIVERED,
        "UNDELIV": _NOT_DELIVERED,
        "EXPIRED": _NOT_DELIVERED,
        "DELETED": _NOT_DELIVERED,
        "UNKNOWN": _NOT_DELIVERED,
        "REJECTD": _REJECTED,
        "ACCEPTD": _HANDED_OVER,
        "ENROUTE": _HANDED_OVER,
    },
    "SMPP 3.4 and 5.0, message_state": {
        "DELIVERED": _DELIVERED,
        "UNDELIVERABLE": _NOT_DELIVERED,
        "REJECTED": _REJECTED,
        "SKIPPED": _REJECTED,
        "ACCEPTED": _HANDED_OVER,
        "SCHEDULED": _HANDED_OVER,
    },
    "Twilio, MessageStatus": {
        "queued": _HANDED_OVER,
        "sending": _HANDED_OVER,
        "sent": _HANDED_OVER,
        "read": _DELIVERED,
        "undelivered": _NOT_DELIVERED,
        "failed": _NOT_DELIVERED,
        "canceled": _NOT_DELIVERED,
    },
    "Vonage, status": {
        "submitted": _HANDED_OVER,
        "buffered": _HANDED_OVER,
    },
    "Infobip, status.groupName and status.name": {
        "PENDING": _HANDED_OVER,
        "PENDING_WAITING_DELIVERY": _HANDED_OVER,
        "PENDING_ENROUTE": _HANDED_OVER,
        "PENDING_ACCEPTED": _HANDED_OVER,
        "DELIVERED_TO_OPERATOR": _HANDED_OVER,
        "DELIVERED_TO_HANDSET": _DELIVERED,
        "UNDELIVERABLE_NOT_DELIVERED": _NOT_DELIVERED,
        "UNDELIVERABLE_REJECTED_OPERATOR": _REJECTED,
        "EXPIRED_EXPIRED": _NOT_DELIVERED,
        "EXPIRED_DLR_UNKNOWN": _NOT_DELIVERED,
        "REJECTED_NOT_ENOUGH_CREDITS": _NO_FUNDS,
        "REJECTED_NETWORK": _REJECTED,
        "REJECTED_OPERATOR": _REJECTED,
        "REJECTED_DESTINATION": _REJECTED,
        "REJECTED_SENDER": _REJECTED,
    },
    "MessageBird, status": {
        "delivery_failed": _NOT_DELIVERED,
    },
    "Sinch, status": {
        "Dispatched": _HANDED_OVER,
        "Aborted": _NOT_DELIVERED,
        "Cancelled": _NOT_DELIVERED,
    },
    "Telnyx, to.status": {
        "sending_failed": _NOT_DELIVERED,
        "delivery_unconfirmed": _NOT_DELIVERED,
    },
    "SMSPortal, status": {
        "SUBMITD": _HANDED_OVER,
        "STAGED": _HANDED_OVER,
        "BLIST": _REJECTED,
        "NOROUTE": _NOT_DELIVERED,
    },
    "Kaleyra, status and status_trace": {
        "SENT - NO DLR": _HANDED_OVER,
        "NOT-SENT": _NOT_DELIVERED,
        "NO-CREDITS": _NO_FUNDS,
    },
    "docs/altegio.md §2": {
        "not delivered": _NOT_DELIVERED,
        "sent to phone": SmsStatus.SENT_TO_PHONE,
        "handed to the operator": _HANDED_OVER,
        "rejected by the operator": _REJECTED,
        "not enough funds": _NO_FUNDS,
    },
}
_SEPARATOR = re.compile(r"[\s_-]+")
_WHOLE = re.compile(r"\s*[0-9]{1,9}\s*", re.ASCII)


def _plain(word: str) -> str:
    return _SEPARATOR.sub("_", word.strip()).casefold()


_STATUS_OF = {_plain(word): int(status) for words in WORDS.values() for word, status in words.items()}


def read_gateway_item(item: Any) -> Any:
    """Return a report's item with status and parts as numbers if they came as known text; else unchanged."""
    if not isinstance(item, dict):
        return item
    read: dict[str, Any] = {}
    if isinstance(status := item.get("status"), str):
        read["status"] = int(status) if _WHOLE.fullmatch(status) else _STATUS_OF.get(_plain(status), status)
    if isinstance(parts := item.get("parts_amount"), str) and _WHOLE.fullmatch(parts):
        read["parts_amount"] = int(parts)
    return {**item, **read} if read else item
