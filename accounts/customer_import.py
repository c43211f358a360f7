"""Import of customers from a CSV file: checked as a whole by the rules of the API, then stored line by line."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from itertools import islice
from typing import TypeVar

from django.db import transaction

from accounts.customers import (
    CustomerConflictError,
    CustomerData,
    InvalidCustomerError,
    hold_customers,
    put_customer,
    read_customer,
    try_customer,
)
from partner_portal.core.csv_files import InvalidRowError, Row, read_rows

COLUMNS = ("external_id", "email", "name", "phone", "language")
# How many lines are checked in one transaction: few, so that its locks are held for a moment only.
BATCH = 100
Item = TypeVar("Item")


class LineOutcome(Enum):
    """The outcome of a line."""

    NEW = "new"
    KNOWN = "known"
    REFUSED = "refused"


@dataclass(frozen=True)
class LineResult:
    """The outcome of the row that ends in line `number` of the file; `why` gives the reason of a refusal."""

    number: int
    outcome: LineOutcome
    why: str = ""


class NothingTakenError(Exception):
    """Raised when the file was read to its end and nothing of it was stored."""


class PartlyTakenError(Exception):
    """Raised when a change since the file was checked refuses a line; `str()` says which, and why."""


def import_customers(lines: Iterable[str], *, dry_run: bool) -> Iterator[LineResult]:
    """Yield the outcome of each line, checked with those before it in effect; then store all lines, one by one.

    No lock is held for longer than `BATCH` lines take, so arriving owners do not wait for the file. A file whose
    import broke off may be imported again. Raises UnreadableFileError; NothingTakenError at the end, if a line was
    refused or `dry_run` is set; PartlyTakenError.
    """
    judge = _Judge()
    for batch in _batches(read_rows(lines, COLUMNS)):
        yield from judge.judge(batch)
    if judge.has_refused or dry_run:
        raise NothingTakenError
    for number, data in judge.accepted.items():
        try:
            put_customer(data)
        except CustomerConflictError as problem:
            raise PartlyTakenError(f"Line {number}: {problem}") from None


class _Judge:
    """A dry run that finds the outcome of each line: it stores a batch and rolls it back.

    Lines of earlier batches are no longer in effect; one that a line depends on is applied again.
    """

    def __init__(self) -> None:
        self.has_refused = False
        self.accepted: dict[int, CustomerData] = {}
        self._lines: dict[str, int] = {}
        self._line_with_email: dict[str, int] = {}
        self._in_force: set[int] = set()

    def judge(self, batch: Sequence[tuple[int, Row | InvalidRowError]]) -> list[LineResult]:
        """Return the outcome of each line of the batch."""
        self._in_force.clear()
        with transaction.atomic():
            hold_customers(_readable(row for _number, row in batch))
            judged = [self._line(number, row) for number, row in batch]
            transaction.set_rollback(True)
        self.has_refused = self.has_refused or any(line.outcome is LineOutcome.REFUSED for line in judged)
        return judged

    def _line(self, number: int, row: Row | InvalidRowError) -> LineResult:
        if isinstance(row, InvalidRowError):
            return LineResult(number, LineOutcome.REFUSED, str(row))
        external_id = row["external_id"]
        if external_id in self._lines:
            return LineResult(
                number, LineOutcome.REFUSED, f"external_id: It stands in line {self._lines[external_id]} already."
            )
        self._lines[external_id] = number
        try:
            data = read_customer(external_id, row)
            is_new = self._put(number, data)
        except (InvalidCustomerError, CustomerConflictError) as problem:
            return LineResult(number, LineOutcome.REFUSED, str(problem))
        self.accepted[number] = data
        self._line_with_email[data.email.lower()] = number
        return LineResult(number, LineOutcome.NEW if is_new else LineOutcome.KNOWN)

    def _put(self, number: int, data: CustomerData) -> bool:
        """Apply a line after the earlier ones that it depends on. Return whether the customer is new."""
        is_new, lines = False, [(number, data)]
        while lines:
            number, data = lines[-1]
            self._in_force.add(number)
            if earlier := self._not_in_force(self._line_with_email.get(data.email.lower())):
                lines.append(earlier)
                continue
            try:
                is_new = try_customer(data)
                lines.pop()
            except CustomerConflictError as problem:
                # An earlier line may have given that customer another address.
                if not (earlier := self._not_in_force(self._lines.get(problem.external_id))):
                    raise
                lines.append(earlier)
        return is_new

    def _not_in_force(self, number: int | None) -> tuple[int, CustomerData] | None:
        """Return an earlier line that must be applied again; None if that line was refused or is in effect."""
        if number is None or number not in self.accepted or number in self._in_force:
            return None
        return number, self.accepted[number]


def _readable(rows: Iterable[Row | InvalidRowError]) -> Iterator[CustomerData]:
    """Yield the data of each row that can be read."""
    for row in rows:
        with suppress(InvalidCustomerError):
            if not isinstance(row, InvalidRowError):
                yield read_customer(row["external_id"], row)


def _batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    items = iter(items)
    while batch := list(islice(items, BATCH)):
        yield batch
