"""Statuses for the partner portal, made from SMPP delivery receipts (docs/sms_gateways.md).

It needs Python 3.10 and nothing else. A receipt is the text of a `deliver_sm`, as carriers write it:

    id:117062714244798261 sub:001 dlvrd:001 submit date:1706271624 done date:1706271624 stat:DELIVRD err:000 text:Hi
    id:0654354026 submit date:2302101454 done date:2302101454 stat:DELIVRD err:000

`send_id` finds the id under which Altegio asked for the message: carriers give it an id of their own. Add the
`delivery_callback_url` that came with the message. Of a message that came by the portal, let `send_id` find the
`ext_id`, and rename the item's `id`: `item["ext_id"] = item.pop("id")`.
"""

import re
from collections.abc import Callable

_FIELD = re.compile(r"\b(id|sub|dlvrd|submit date|done date|stat|err):(\S*)", re.IGNORECASE)
Price = dict[str, object]


def read_receipt(text: str) -> dict[str, str]:
    """Return the fields of a receipt. What follows `text:` is the message itself, and no field."""
    head = re.split(r"\btext:", text, maxsplit=1, flags=re.IGNORECASE)[0]
    return {name.lower(): value for name, value in _FIELD.findall(head)}


def same_ids(carriers_id: str) -> list[str]:
    """Return the forms in which carriers write one id: hexadecimal at the submission, decimal in its receipt."""
    ids = [carriers_id, carriers_id.lstrip("0") or "0"]
    if carriers_id.isdigit():
        ids += [f"{int(carriers_id):x}", f"{int(carriers_id):X}", f"{int(carriers_id):08X}"]
    elif re.fullmatch("[0-9a-fA-F]{1,16}", carriers_id):
        ids.append(str(int(carriers_id, 16)))
    return list(dict.fromkeys(ids))


def status_of(text: str, send_id: Callable[[str], str | int | None], price: Price) -> dict[str, object] | None:
    """Return an item for `POST /api/v1/sms/statuses/`; None if the text is no receipt, or one of another's message.

    `price` is what a message costs: `{"payment_sum": "0.05", "currency_iso": "EUR", "parts_amount": 1}`.
    """
    receipt = read_receipt(text)
    if "id" not in receipt or "stat" not in receipt:
        return None
    found = next((known for one in same_ids(receipt["id"]) if (known := send_id(one)) is not None), None)
    return None if found is None else {"id": found, "status": receipt["stat"], **price}
