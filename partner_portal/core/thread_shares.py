"""A limited share of a process's threads, in which a slow key cannot delay the others.

It is for work that waits for outside systems; the worker's other threads are for calls to Altegio. Each system has a
key, and at most one thread serves a key. All keys that were slow recently share one thread. Keys whose turns were
long recently, however quick each thing in them was, leave one thread to the others.

    share = ThreadShare(3)
    done = share.run(claim, key_of, work, seconds=25)   # returns 0 at once if the whole share is in use
"""

import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

Item = TypeVar("Item")

# Seconds. A key is slow if one thing took longer than this on average, and long if its whole turn did. Both marks
# stay for SLOW_FOR seconds.
SLOW_AFTER = 2.0
SLOW_FOR = 300.0


@dataclass
class Turn:
    """One turn of a key, with the number of things done in it: the time for each decides whether the key is slow."""

    count: int = 1


class ThreadShare:
    """A share of at most `threads` threads; each kind of work has one share, made when its module is loaded."""

    def __init__(self, threads: int) -> None:
        self._free = threading.BoundedSemaphore(threads)
        self._for_long = max(threads - 1, 1)
        self._lock = threading.Lock()
        self._served: set[Hashable] = set()
        self._slow_until: dict[Hashable, float] = {}
        self._long_until: dict[Hashable, float] = {}

    def run(
        self,
        claim: Callable[[set[Hashable]], Item | None],
        key_of: Callable[[Item], Hashable],
        work: Callable[[Item, Turn], int],
        seconds: float,
    ) -> int:
        """Serve one key after another until nothing is left or the time is up. Return the sum of `work`'s results.

        `claim` takes an item that has none of the given keys, or returns None. `work` sets the turn's `count` if it
        does more than one thing.
        """
        done, ends_at = 0, time.monotonic() + seconds
        with self.thread() as mine:
            while mine and time.monotonic() < ends_at and (item := self.choose(claim, key_of)):
                with self.serving(key_of(item)) as turn:
                    done += work(item, turn)
        return done

    @contextmanager
    def thread(self) -> Iterator[bool]:
        """Yield whether this thread may work within the share now, without waiting for a free place."""
        mine = self._free.acquire(blocking=False)
        try:
            yield mine
        finally:
            if mine:
                self._free.release()

    def choose(
        self, claim: Callable[[set[Hashable]], Item | None], key_of: Callable[[Item], Hashable]
    ) -> Item | None:
        """Return the item that `claim` takes when given the keys that must wait; `serving` must follow."""
        with self._lock:
            item = claim(self._closed())
            if item is not None:
                self._served.add(key_of(item))
            return item

    @contextmanager
    def serving(self, key: Hashable) -> Iterator[Turn]:
        """Measure the turn of a chosen item, and mark its key as slow or long by the time it took."""
        began, turn = time.monotonic(), Turn()
        try:
            yield turn
        finally:
            took = time.monotonic() - began
            with self._lock:
                self._served.discard(key)
                _mark(self._slow_until, key, marked=took > SLOW_AFTER * turn.count)
                _mark(self._long_until, key, marked=took > SLOW_AFTER)

    def _closed(self) -> set[Hashable]:
        # All slow keys share one thread, and all long ones leave one free.
        slow, long = _marked(self._slow_until), _marked(self._long_until)
        closed = set(self._served)
        if slow & self._served:
            closed |= slow
        if len(long & self._served) >= self._for_long:
            closed |= long
        return closed


def _mark(marks: dict[Hashable, float], key: Hashable, *, marked: bool) -> None:
    if marked:
        marks[key] = time.monotonic() + SLOW_FOR
    else:
        marks.pop(key, None)


def _marked(marks: dict[Hashable, float]) -> set[Hashable]:
    now = time.monotonic()
    return {key for key, until in marks.items() if until > now}
