"""What this process has seen a moment ago, so that the hot addresses need not look it up for each request."""

import time
from typing import Generic, TypeVar

Value = TypeVar("Value")

MAX_VALUES = 50_000


class Remembered(Generic[Value]):
    """Values by a text, each for `seconds`; emptied once it holds MAX_VALUES."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._known: dict[str, tuple[Value, float]] = {}

    def get(self, key: str) -> Value | None:
        """The value, or None where there is none that is new enough."""
        known = self._known.get(key)
        return known[0] if known is not None and known[1] > time.monotonic() else None

    def put(self, key: str, value: Value) -> None:
        if len(self._known) >= MAX_VALUES:
            self._known.clear()
        self._known[key] = (value, time.monotonic() + self._seconds)

    def clear(self) -> None:
        self._known.clear()
