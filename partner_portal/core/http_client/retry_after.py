"""Parsing of `Retry-After` (RFC 9110 §10.2.3), which may stand on any answer."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# The longest pause in seconds: a server's wrong clock or typing error must not stop the portal for days.
MAX_DURATION = 3600.0


def seconds_to_wait(value: str, now: datetime) -> float | None:
    """Return the seconds to wait, from either form of the header, at most MAX_DURATION; None if it is not valid."""
    value = value.strip()
    if value.isascii() and value.isdigit():
        return min(float(value), MAX_DURATION)
    try:
        moment = parsedate_to_datetime(value)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return min(max((moment - now).total_seconds(), 0.0), MAX_DURATION)
    except (TypeError, ValueError, OverflowError):
        return None
