"""The type of the `work` fixture, which does what the portal's workers would do."""

from typing import Protocol


class Work(Protocol):
    """A function that works until nothing waits; with `rounds=1` it makes only the calls due now."""

    def __call__(self, rounds: int = 50) -> None: ...
