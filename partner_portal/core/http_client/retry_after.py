"""`Retry-After` (RFC 9110 §10.2.3): how long the other side asks to be left alone, on whatever answer it stands."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# Nobody is obeyed for longer: a slip of a server's clock or pen must not stop the portal for days.
MAX_DURATION = 3600.0


def seconds_to_wait(value: str, now: datetime) -> float | None:
    """Seconds to wait, from either form of the header, at most MAX_DURATION; None where it says nothing readable."""
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
