"""Parsing of dates and times from outside: requests, files, Altegio's answers and forms.

It reads ISO 8601 and RFC 3339: `2026-01-31T12:00:00+01:00`, `2026-01-31 12:00Z`, `20260131T120000Z`, with or without
fractions of a second. Years lie between FIRST_YEAR and LAST_YEAR, so that no arithmetic, database or wire format
overflows. The module does not import Django, so that the Altegio client may use it.
"""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

FIRST_YEAR, LAST_YEAR = 1970, 2199
_DATE = r"\d{4}(?:-\d{2}-\d{2}|\d{4})"
_TIME = r"\d{2}(?::\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?|\d{2}(?:\d{2}(?:[.,]\d{1,9})?)?)"
_ZONE = r"[Zz]|[+-]\d{2}(?::?\d{2})?"
_MOMENT = re.compile(rf"({_DATE})(?:[Tt ]({_TIME}) ?({_ZONE})?)?", re.ASCII)
EXAMPLE = "2026-01-31T12:00:00+01:00"


class InvalidDatetimeError(ValueError):
    """Raised when a text is not a valid date and time; `str()` says what to write."""


def read_moment(text: object, zone: str | None = None) -> datetime:
    """Parse a date and time and return it in UTC. Raises InvalidDatetimeError.

    A text without a zone is read in `zone`, where a date alone means its first moment; without `zone` it is refused.
    """
    match = _MOMENT.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None or (zone is None and match[3] is None):
        raise InvalidDatetimeError(f'Write a date and time with its zone, for example "{EXAMPLE}".')
    try:
        moment = datetime.fromisoformat(" ".join(filter(None, match.group(1, 2))) + (match[3] or "").upper())
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=ZoneInfo(zone or "UTC"))
        moment = moment.astimezone(UTC)
    except OverflowError:
        raise _out_of_range() from None
    except ValueError:
        raise InvalidDatetimeError(f'Write a date and time that exist, as in "{EXAMPLE}".') from None
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise _out_of_range()
    return moment


def write_moment(moment: datetime, zone: str) -> str:
    """Write ISO 8601 in `zone`, to the second; in UTC if the zone's offset had seconds then, which ISO 8601 lacks."""
    local = moment.astimezone(ZoneInfo(zone))
    offset = local.utcoffset()
    return (moment.astimezone(UTC) if offset and offset.seconds % 60 else local).isoformat(timespec="seconds")


def _out_of_range() -> InvalidDatetimeError:
    return InvalidDatetimeError(f"Write a year between {FIRST_YEAR} and {LAST_YEAR}.")
