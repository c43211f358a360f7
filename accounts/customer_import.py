"""Importing customers from a CSV file: judged as a whole by the rules of the API, then taken in small parts."""

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
# So many lines are judged in one transaction: what they would change is held for a moment only.
BATCH = 100
Item = TypeVar("Item")


class LineOutcome(Enum):
    """What becomes of a line."""

    NEW = "new"
    KNOWN = "known"
    REFUSED = "refused"


@dataclass(frozen=True)
class LineResult:
    """What becomes of the row that ends in this line of the file; `why` says why it is refused."""

    number: int
    outcome: LineOutcome
    why: str = ""


class NothingTakenError(Exception):
    """The file was looked through to its end, and nothing of it is stored."""


class PartlyTakenError(Exception):
    """What has changed since the file was judged refuses a line; `str()` says which, and why."""


def import_customers(lines: Iterable[str], *, dry_run: bool) -> Iterator[LineResult]:
    """Judge one line after another, each with those before it in force; then take all of them, each by itself.

    Nothing holds what it changes for longer than `BATCH` lines take: owners who arrive meanwhile wait for no file. A
    file that was broken off while it was taken may come again. Raises UnreadableFileError; NothingTakenError at the
    end, where a line was refused or `dry_run` is set; PartlyTakenError.
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
    """Says what would become of each line, and changes nothing: a batch is taken and undone.

    What lines of earlier batches tell is not in force any more: it is taken anew where a line depends on it.
    """

    def __init__(self) -> None:
        self.has_refused = False
        self.accepted: dict[int, CustomerData] = {}
        self._lines: dict[str, int] = {}
        self._line_with_email: dict[str, int] = {}
        self._in_force: set[int] = set()

    def judge(self, batch: Sequence[tuple[int, Row | InvalidRowError]]) -> list[LineResult]:
        """What would become of these lines."""
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
        """Take a line, after those before it that say something about its address. Returns whether it is new."""
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
                # A line before may have given them another address.
                if not (earlier := self._not_in_force(self._lines.get(problem.external_id))):
                    raise
                lines.append(earlier)
        return is_new

    def _not_in_force(self, number: int | None) -> tuple[int, CustomerData] | None:
        """A line before that is to be taken once more; None where it is no such."""
        if number is None or number not in self.accepted or number in self._in_force:
            return None
        return number, self.accepted[number]


def _readable(rows: Iterable[Row | InvalidRowError]) -> Iterator[CustomerData]:
    """What those rows say that say something."""
    for row in rows:
        with suppress(InvalidCustomerError):
            if not isinstance(row, InvalidRowError):
                yield read_customer(row["external_id"], row)


def _batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    items = iter(items)
    while batch := list(islice(items, BATCH)):
        yield batch
