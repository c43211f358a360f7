"""Writing of CSV files that spreadsheets read correctly: in UTF-8, with times in UTC and no text run as a formula."""

import csv
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal

# Without this mark Excel reads the file in the country's own encoding.
MARK = "\ufeff"
# The start of a text that a spreadsheet would run (OWASP, "CSV Injection"). Where decimals have a comma it splits
# lines at semicolons, also inside a text.
_FORMULA = re.compile(r"""(^|;|(?<!["\s;])(?=["\s]))["\s]*+(?=[=+\-@\uff1d\uff0b\uff0d\uff20])""")
_SEPARATOR = re.compile(r"[;\t\r\n]")


class _Echo:
    """A file-like object that returns what is written to it."""

    def write(self, line: str) -> str:
        return line


def write_lines(rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """Yield a line of the file for each row of values."""
    writer = csv.writer(_Echo())
    for row in rows:
        yield writer.writerow([cell(value) for value in row])


def cell(value: object) -> str:
    """Return a value as written in the file: times in UTC, and no text that a spreadsheet would run as a formula."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    if isinstance(value, int | float | Decimal):
        return str(value)
    return _FORMULA.sub(_made_text, str(value))


def _made_text(before: re.Match[str]) -> str:
    """Return what stands before a formula, with an apostrophe wherever a cell may begin in it."""
    begins_the_text = before.start() == 0 and not before[1]
    return ("'" if begins_the_text else "") + _SEPARATOR.sub(r"\g<0>'", before[0])
