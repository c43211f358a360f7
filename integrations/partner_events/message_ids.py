"""The ids of events: UUIDs of version 7 (RFC 9562 §5.7), so that an id says when its event was made."""

import re
import time
import uuid
from datetime import UTC, datetime

# Ids of version 4 were given out before; they say nothing of their time.
_ID = re.compile("evt_([0-9a-f]{12})([47])[0-9a-f]{3}[89ab][0-9a-f]{15}")
_BEFORE_ALL = datetime(1970, 1, 1, tzinfo=UTC)


def new_message_id() -> str:
    """Return a new `webhook-id`: the same on every try of an event (Standard Webhooks, "Webhook metadata")."""
    milliseconds = time.time_ns() // 1_000_000
    return f"evt_{milliseconds:012x}7{uuid.uuid4().hex[13:]}"


def made_at(message_id: str) -> datetime | None:
    """Return when the id was made, 1970 for one of version 4; None for what was never an id."""
    parts = _ID.fullmatch(message_id)
    if parts is None:
        return None
    if parts[2] == "4":
        return _BEFORE_ALL
    try:
        return datetime.fromtimestamp(int(parts[1], 16) / 1000, UTC)
    except (ValueError, OverflowError):  # thousands of years ahead
        return None
