"""The format of times and ids on Altegio's wire (docs/altegio.md, head)."""

from datetime import datetime
from zoneinfo import ZoneInfo

from partner_portal.core.datetimes import InvalidDatetimeError, read_moment

_FORMAT = "%Y-%m-%d %H:%M:%S"
MAX_ID_DIGITS = 18


def to_wire(moment: datetime, zone: str) -> str:
    """Return a moment as `YYYY-MM-DD HH:MM:SS` in `zone`. Raises ValueError for a moment without a zone."""
    if moment.tzinfo is None:
        raise ValueError("A moment needs a zone.")
    return moment.astimezone(ZoneInfo(zone)).strftime(_FORMAT)


def from_wire(text: object, zone: str) -> datetime | None:
    """Return the moment (in UTC) that Altegio wrote, or None if it cannot be read.

    ISO 8601 with a zone is taken as it stands; without one it is read in `zone`.
    """
    try:
        return read_moment(text, zone)
    except InvalidDatetimeError:
        return None


def parse_id(text: object) -> int | None:
    """Return an id: ASCII digits, 1 to 18 of them, not zero, as a number or as text. None for anything else."""
    if isinstance(text, bool) or not isinstance(text, int | str):
        return None
    if isinstance(text, int) and not 0 < text < 10**MAX_ID_DIGITS:
        return None
    digits = str(text)
    if not (digits.isascii() and digits.isdigit() and len(digits) <= MAX_ID_DIGITS):
        return None
    return int(digits) or None
