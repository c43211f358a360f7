"""A gateway reports statuses, and what of them has reached Altegio."""

from typing import Any

from sandbox import Sandbox

STATUSES = "sms/statuses/"


def status(message_id: str | int = "m1", number: int | str = 1, **fields: Any) -> dict[str, Any]:
    priced = {"payment_sum": 0.05, "currency_iso": "EUR", "parts_amount": 1} if number in (1, 8) else {}
    return {"id": message_id, "status": number, **priced, **fields}


def sent(altegio: Sandbox) -> Any:
    return [(item["id"], item["status"]) for item in altegio.sms_statuses()]
