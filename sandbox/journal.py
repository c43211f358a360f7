"""The log of the calls that arrived: the request, the answer, and whether it took effect."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass
from typing import Any

KEPT = 50_000


@dataclass
class LoggedCall:
    """A call that arrived, at `monotonic` and `at`. `code` is 0 if the connection was closed without an answer.

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
    """A request to the portal and the status of its answer; `code` is 0 if there was no answer."""

    at: str
    url: str
    body: Any
    code: int = 0
    error: str = ""
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class Journal:
    """A bounded log of calls and callbacks. The caller holds the world's lock."""

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
