"""A short-lived cache in process memory, which saves busy endpoints a lookup for each request."""

import time
from typing import Generic, TypeVar

Value = TypeVar("Value")

MAX_VALUES = 50_000


class Remembered(Generic[Value]):
    """A cache of values by key, each kept for `seconds`; it is emptied once it has MAX_VALUES values."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._known: dict[str, tuple[Value, float]] = {}

    def get(self, key: str) -> Value | None:
        """Return the value, or None if there is none that is new enough."""
        known = self._known.get(key)
        return known[0] if known is not None and known[1] > time.monotonic() else None

    def put(self, key: str, value: Value) -> None:
        if len(self._known) >= MAX_VALUES:
            self._known.clear()
        self._known[key] = (value, time.monotonic() + self._seconds)

    def clear(self) -> None:
        self._known.clear()
