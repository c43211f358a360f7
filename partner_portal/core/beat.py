"""Beat's scheduler: it goes on when the clock is set back."""

from datetime import datetime
from typing import Any

from celery.beat import PersistentScheduler, ScheduleEntry


class SteadyScheduler(PersistentScheduler):
    """Celery's own waits until the clock shows again what it showed at the last run; nothing is swept till then."""

    def tick(self, *args: Any, **options: Any) -> float:
        """As Celery's; what ran "later" than now has run now."""
        ahead = [entry for entry in self.schedule.values() if _last_run(entry) > entry.default_now()]
        for entry in ahead:
            entry.last_run_at = entry.default_now()
        if ahead:
            self._heap = None  # Celery makes the order of what comes next anew
        delay: float = super().tick(*args, **options)
        return delay


def _last_run(entry: ScheduleEntry) -> datetime:
    return entry.last_run_at or entry.default_now()
