"""A bounded share of a process's threads, in which nobody who is slow takes the turn of the others.

For work that waits for somebody outside: the worker's other threads carry the calls to Altegio. Who is served has a
key; at most one thread serves the same key. All who were slow lately have one thread together, and whose turns were
long lately, however quick each thing in them is, leave one to the others.

    share = ThreadShare(3)
    done = share.run(claim, key_of, work, seconds=25)   # 0 at once where all of the share is at work
"""

import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

Item = TypeVar("Item")

# Seconds. Who took longer for one thing is slow, whose whole turn took longer is long; each stays so for a while.
SLOW_AFTER = 2.0
SLOW_FOR = 300.0


@dataclass
class Turn:
    """One turn of a key: how many things were done in it, for the time of one says who is slow."""

    count: int = 1


class ThreadShare:
    """At most `threads` of the process at once: one for each kind of work, made when its module is loaded."""

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
        """Serve one key after the other, until nothing is left or the time is up; return the sum of what `work` did.

        `claim` takes up an item of none of the keys that it is given. `work` sets the turn's `count` where it does
        more than one thing.
        """
        done, ends_at = 0, time.monotonic() + seconds
        with self.thread() as mine:
            while mine and time.monotonic() < ends_at and (item := self.choose(claim, key_of)):
                with self.serving(key_of(item)) as turn:
                    done += work(item, turn)
        return done

    @contextmanager
    def thread(self) -> Iterator[bool]:
        """Yield whether this thread may work within the share now; it is not waited for."""
        mine = self._free.acquire(blocking=False)
        try:
            yield mine
        finally:
            if mine:
                self._free.release()

    def choose(
        self, claim: Callable[[set[Hashable]], Item | None], key_of: Callable[[Item], Hashable]
    ) -> Item | None:
        """Return what `claim` takes up, given the keys whose turn it is not; `serving` must follow."""
        with self._lock:
            item = claim(self._closed())
            if item is not None:
                self._served.add(key_of(item))
            return item

    @contextmanager
    def serving(self, key: Hashable) -> Iterator[Turn]:
        """While the chosen item is worked at."""
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
