"""Handling of statuses that are reported again: only refused ones and those with a corrected price are sent again."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from integrations.messaging.bulk_insert import StatusRow
from integrations.messaging.models import BatchState, MessageStatus, StatusBatch
from integrations.messaging.relay_batches import move
from integrations.messaging.volumes import correct_volumes, tally_once

PRICE = ("payment_sum", "currency_iso", "parts_amount")
_STORED = Decimal("0.000001")


def take_retold(rows: Sequence[StatusRow]) -> tuple[int, set[int]]:
    """Queue those of the repeated rows that say something new; return how many, and the keys of their addresses.

    Runs in the caller's transaction, which has locked the addresses; takes a constant number of queries.
    """
    last = {(row.address_id, row.message_id, row.status): row for row in rows}
    known = MessageStatus.objects.filter(message_id__in={row.message_id for row in rows}).order_by("pk")
    known = known.filter(address__in={row.address_id for row in rows}).select_related("batch", "location")
    changed = [status for status in known if _says_more(status, last.get(_key(status)))]
    if not changed:
        return 0, set()
    theirs = StatusBatch.objects.filter(pk__in={status.batch_id for status in changed})
    batches = list(theirs.select_for_update().order_by("pk"))
    tally_once(batches)
    correct_volumes([(status, _price(last[_key(status)], status)) for status in changed])
    for status in changed:
        for name, value in _price(last[_key(status)], status).items():
            setattr(status, name, value)
    MessageStatus.objects.bulk_update(changed, PRICE, batch_size=500)
    _send_again(changed, batches)
    return len(changed), {status.address_id for status in changed}


def _key(status: MessageStatus) -> tuple[int, str, int]:
    return status.address_id, status.message_id, status.status


def _says_more(status: MessageStatus, row: StatusRow | None) -> bool:
    if row is None:
        return False
    return status.batch.state == BatchState.REFUSED or _price(row, status) != _price(None, status)


def _price(row: StatusRow | None, status: MessageStatus) -> dict[str, Any]:
    """Return the price that the row reports; a value that it lacks is taken from the stored status."""
    said = {name: getattr(row, name, None) for name in PRICE}
    price = {name: getattr(status, name) if value in (None, "") else value for name, value in said.items()}
    if price["payment_sum"] is not None:
        price["payment_sum"] = Decimal(price["payment_sum"]).quantize(_STORED, ROUND_HALF_UP)
    return price


def _send_again(changed: Sequence[MessageStatus], batches: Sequence[StatusBatch]) -> None:
    """Move statuses that a call has taken already into new batches, so that they are sent again.

    Those that no call has taken yet go out with their new price anyway.
    """
    gone = {batch.pk for batch in batches if batch.state != BatchState.WAITING or batch.call_id is not None}
    for address in sorted({batch.address_id for batch in batches}):
        again = [status.pk for status in changed if status.address_id == address and status.batch_id in gone]
        if again:
            move(again, [batch for batch in batches if batch.address_id == address and batch.pk in gone])
