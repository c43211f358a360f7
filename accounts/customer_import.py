"""Importing customers from a CSV file: the whole file by the rules of the API, or nothing of it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from django.db import transaction

from accounts.customers import CustomerConflictError, InvalidCustomerError, put_customer, read_customer
from partner_portal.core.csv_files import InvalidRowError, Row, read_rows

COLUMNS = ("external_id", "email", "name", "phone", "language")


class Outcome(Enum):
    """What becomes of a line."""

    NEW = "new"
    KNOWN = "known"
    REFUSED = "refused"


@dataclass(frozen=True)
class Line:
    """What becomes of the row that ends in this line of the file; `why` says why it is refused."""

    number: int
    outcome: Outcome
    why: str = ""


class NothingTakenError(Exception):
    """The file was looked through to its end, and nothing of it is stored."""


def import_customers(lines: Iterable[str], *, dry_run: bool) -> Iterator[Line]:
    """Judge and take one line after another, in one transaction: a refused line, or `dry_run`, undoes all of it.

    A line is judged with those before it in force. Raises UnreadableFileError; and NothingTakenError at the end,
    where nothing was taken.
    """
    seen: dict[str, int] = {}
    with transaction.atomic():
        has_refused = False
        for number, row in read_rows(lines, COLUMNS):
            line = _take(number, row, seen)
            has_refused = has_refused or line.outcome is Outcome.REFUSED
            yield line
        if has_refused or dry_run:
            raise NothingTakenError


def _take(number: int, row: Row | InvalidRowError, seen: dict[str, int]) -> Line:
    if isinstance(row, InvalidRowError):
        return Line(number, Outcome.REFUSED, str(row))
    external_id = row["external_id"]
    if external_id in seen:
        return Line(number, Outcome.REFUSED, f"external_id: It stands in line {seen[external_id]} already.")
    seen[external_id] = number
    try:
        _customer, is_new = put_customer(read_customer(external_id, row))
    except (InvalidCustomerError, CustomerConflictError) as problem:
        return Line(number, Outcome.REFUSED, str(problem))
    return Line(number, Outcome.NEW if is_new else Outcome.KNOWN)
