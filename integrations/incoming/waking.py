"""Waking a worker from a hot address: seldom, and never in the way of the answer."""

import threading
import time
from collections.abc import Callable

from celery import Task

from partner_portal.dispatch import enqueue

PAUSE = 1.0


class Waker:
    """Wakes a task at most each second; beat sweeps what comes in between.

    A broker that is away takes its time to say so: a thread waits for it, not Altegio.
    """

    def __init__(self, task: Callable[[], "Task[[], object]"]) -> None:
        self._task = task
        self._woken_at = -PAUSE

    def wake(self) -> None:
        """Ask a worker to come soon."""
        now = time.monotonic()
        if now - self._woken_at < PAUSE:
            return
        self._woken_at = now
        threading.Thread(target=enqueue, args=(self._task(),), daemon=True).start()
