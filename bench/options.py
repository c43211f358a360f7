"""The options of all parts: how long and how large."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """The options of a run, in seconds unless the name says otherwise."""

    rounds: int = 7
    seconds: float = 2.0
    waiting: int = 500
    sizes: tuple[int, ...] = (1_000, 100_000, 1_000_000)
    repeats: int = 30
    soak_minutes: float = 10.0
