"""The request limits of docs/altegio.md: sliding windows over all partner calls."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable

SECOND, MINUTE = 1.0, 60.0


class SlidingWindows:
    """Sliding windows that say how long a call must wait; such a call is not counted. The caller holds the lock."""

    def __init__(self) -> None:
        self._admitted: deque[float] = deque()

    def clear(self) -> None:
        self._admitted.clear()

    def wait(self, now: float, per_second: int | None, per_minute: int | None) -> int:
        """Admit the call and return 0, or return the whole seconds for `Retry-After`."""
        while self._admitted and self._admitted[0] <= now - MINUTE:
            self._admitted.popleft()
        needed = max(self._needed(now, per_second, SECOND), self._needed(now, per_minute, MINUTE))
        if needed <= 0:
            self._admitted.append(now)
            return 0
        return math.ceil(needed)

    def _needed(self, now: float, limit: int | None, window: float) -> float:
        if limit is None or len(self._admitted) < limit:
            return 0.0
        return self._admitted[-limit] + window - now if limit else window


def busiest(moments: Iterable[float], window: float) -> int:
    """Return the highest number of calls in any sliding window of this length."""
    inside: deque[float] = deque()
    most = 0
    for moment in sorted(moments):
        inside.append(moment)
        while inside[0] <= moment - window:
            inside.popleft()
        most = max(most, len(inside))
    return most
