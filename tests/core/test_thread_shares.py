"""An address that is slow, or takes long turns, delays no other."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from partner_portal.core.thread_shares import ThreadShare

ALL = ["a", "b", "c", "quick"]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return a clock; `clock[0]` is its time."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def choose(share: ThreadShare, wanted: list[str]) -> str | None:
    """Return the first address whose turn it may be."""
    return share.choose(lambda closed: next((key for key in wanted if key not in closed), None), str)


@contextmanager
def serving(share: ThreadShare, count: int) -> Iterator[list[str | None]]:
    """Serve so many addresses at once, of those that always have work; yield the chosen ones."""
    with ExitStack() as turns:
        chosen = [choose(share, ALL) for _ in range(count)]
        for key in chosen:
            turns.enter_context(share.serving(key))
        yield chosen


def take(share: ThreadShare, clock: list[float], key: str, seconds: float, things: int) -> None:
    assert choose(share, [key]) == key
    with share.serving(key) as turn:
        clock[0] += seconds
        turn.count = things


def test_long_turns_of_quick_deliveries_leave_a_thread_for_others(clock: list[float]) -> None:
    """Three addresses answer in 1.9 s, each with a backlog: a turn of each takes six seconds."""
    share = ThreadShare(3)
    for key in "abc":
        take(share, clock, key, 5.7, things=3)
    with serving(share, 3) as chosen:
        assert chosen == ["a", "b", "quick"]


def test_slow_addresses_share_one_thread(clock: list[float]) -> None:
    share = ThreadShare(3)
    for key in "abc":
        take(share, clock, key, 2.1, things=1)
    with serving(share, 2) as chosen:
        assert chosen == ["a", "quick"]


def test_an_address_with_short_turns_again_is_treated_like_the_others(clock: list[float]) -> None:
    share = ThreadShare(3)
    for key in "abc":
        take(share, clock, key, 5.7, things=3)
        take(share, clock, key, 0.1, things=1)
    with serving(share, 3) as chosen:
        assert chosen == ["a", "b", "c"]


def test_a_single_thread_serves_slow_addresses_too(clock: list[float]) -> None:
    share = ThreadShare(1)
    take(share, clock, "a", 5.7, things=3)
    assert choose(share, ["a"]) == "a"
