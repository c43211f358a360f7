"""The log of the calls that arrived: what was asked, what was answered, whether it took effect."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass
from typing import Any

KEPT = 50_000


@dataclass
class LoggedCall:
    """One call. `monotonic` and `at` are its arrival; `code` is 0 when the line was closed unanswered.

    `processed` says that Altegio did what was asked, whatever became of the answer.
    """

    number: int
    monotonic: float
    at: str
    method: str
    path: str
    call: str
    location_id: int | None
    body: Any
    raw_body: str
    code: int = 0
    processed: bool = False
    fault: str = ""
    answer: str = ""
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass
class SentCallback:
    """One request to the portal and what it answered; `code` is 0 when there was no answer."""

    at: str
    url: str
    body: Any
    code: int = 0
    error: str = ""
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class Journal:
    """Bounded; the caller holds the world's lock."""

    def __init__(self) -> None:
        self.calls: deque[LoggedCall] = deque(maxlen=KEPT)
        self.callbacks: deque[SentCallback] = deque(maxlen=KEPT)
        self._count = 0

    def next_number(self) -> int:
        self._count += 1
        return self._count

    def clear(self) -> None:
        self.calls.clear()
        self.callbacks.clear()
