"""Writing a CSV file that spreadsheets open as it is meant: in UTF-8, moments in UTC, and no text as a formula."""

import csv
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal

# Without it Excel takes a file for one in the encoding of the country.
MARK = "\ufeff"
# What a spreadsheet would run (OWASP, "CSV Injection"). Where decimals have a comma it splits lines at the semicolon,
# so inside a text too.
_FORMULA = re.compile(r"""(^|[;\t\r\n])(?=["\s]*[=+\-@\uff1d\uff0b\uff0d\uff20])""")


class _Echo:
    """A file that hands back what is written."""

    def write(self, line: str) -> str:
        return line


def write_lines(rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """A line of the file for each row of values."""
    writer = csv.writer(_Echo())
    for row in rows:
        yield writer.writerow([cell(value) for value in row])


def cell(value: object) -> str:
    """A value as it stands in the file: moments in UTC, and nothing that a spreadsheet would run."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    if isinstance(value, int | float | Decimal):
        return str(value)
    return _FORMULA.sub(r"\1'", str(value))
