"""A beat scheduler that keeps running when the clock is set back."""

from datetime import datetime
from typing import Any

from celery.beat import PersistentScheduler, ScheduleEntry


class SteadyScheduler(PersistentScheduler):
    """A scheduler that goes on after the clock is set back; Celery's own would wait for the time of the last run."""

    def tick(self, *args: Any, **options: Any) -> float:
        """Start what is due, as Celery does, but treat a last run in the future as one that happened now."""
        ahead = [entry for entry in self.schedule.values() if _last_run(entry) > entry.default_now()]
        for entry in ahead:
            entry.last_run_at = entry.default_now()
        if ahead:
            self._heap = None  # makes Celery rebuild its order of due entries
        delay: float = super().tick(*args, **options)
        return delay


def _last_run(entry: ScheduleEntry) -> datetime:
    return entry.last_run_at or entry.default_now()
