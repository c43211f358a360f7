"""Import of payments from a CSV file, row by row, by the same rules as the API and the admin."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.db import transaction

from billing.intake import Overlap, PaymentConflictError, check_payment, hold_places, record_payment
from billing.models import Source
from billing.parsing import InvalidPaymentError, PaymentData, read_payment
from partner_portal.core.csv_files import InvalidRowError, Row, read_rows

COLUMNS = ("external_id", "salon_id", "amount", "currency", "paid_at", "period_from", "period_to")
MAY_BE_LEFT_OUT = "application_id"
# How many rows one commit covers: it is quick, and workers wait for its locks only a moment.
BATCH = 100
Numbered = tuple[int, Row | InvalidRowError]


@dataclass(frozen=True)
class RowResult:
    """The outcome of the row that ends in this line of the file; `refused` says why it was not taken."""

    line: int
    is_new: bool = False
    refused: str = ""


def import_payments(lines: Iterable[str], *, overlap: Overlap, dry_run: bool) -> Iterator[RowResult]:
    """Store the rows one after another and yield their outcomes. A refused row does not hold up the others.

    With `dry_run` nothing is stored: each row is checked as if it came alone, except that an external_id that stands
    in the file twice is noticed. Raises UnreadableFileError.
    """
    take = _Rehearsal(overlap) if dry_run else _Taking(overlap)
    for batch in _batches(read_rows(lines, COLUMNS, (MAY_BE_LEFT_OUT,))):
        read = [(line, _read(row)) for line, row in batch]
        with transaction.atomic():
            if not dry_run:
                hold_places([data for _line, data in read if isinstance(data, PaymentData)])
            done = [_take(take, line, data) for line, data in read]
        yield from done


class _Taking:
    def __init__(self, overlap: Overlap) -> None:
        self.overlap = overlap

    def __call__(self, data: PaymentData) -> bool:
        return record_payment(data, Source.FILE, overlap=self.overlap).is_new


class _Rehearsal(_Taking):
    def __init__(self, overlap: Overlap) -> None:
        super().__init__(overlap)
        self.seen: dict[bytes, bytes] = {}

    def __call__(self, data: PaymentData) -> bool:
        name = hashlib.blake2b(str(data.external_id).encode(), digest_size=8).digest()
        content = bytes.fromhex(data.digest)[:8]
        if self.seen.setdefault(name, content) != content:
            raise PaymentConflictError("This external_id stands in the file before, with other content.")
        check_payment(data, self.overlap)
        return True


def _read(row: Row | InvalidRowError) -> PaymentData | InvalidPaymentError | InvalidRowError:
    """Parse a row; return what it says, or the error."""
    try:
        return row if isinstance(row, InvalidRowError) else read_payment(row)
    except InvalidPaymentError as problem:
        return problem


def _take(take: _Taking, line: int, data: PaymentData | InvalidPaymentError | InvalidRowError) -> RowResult:
    if not isinstance(data, PaymentData):
        return RowResult(line, refused=str(data))
    try:
        return RowResult(line, is_new=take(data))
    except (InvalidPaymentError, PaymentConflictError) as problem:
        return RowResult(line, refused=str(problem))


def _batches(rows: Iterator[Numbered]) -> Iterator[list[Numbered]]:
    batch = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    yield batch
