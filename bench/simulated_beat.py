"""Beat in simulated time: each entry of its schedule runs at its moments, as the clock is moved."""

import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol

from celery import current_app
from celery.schedules import BaseSchedule

from partner_portal.beat_schedule import CELERY_BEAT_SCHEDULE


class Agenda(Protocol):
    """A clock that can run an action regularly."""

    def every(self, seconds: float, action: Callable[[], object]) -> None: ...


def enter_beat(clock: Agenda) -> Counter[str]:
    """Put every entry into the clock's agenda. Return how often each ran, counted as time passes."""
    current_app.loader.import_default_modules()
    runs = Counter(dict.fromkeys(CELERY_BEAT_SCHEDULE, 0))
    for name, entry in CELERY_BEAT_SCHEDULE.items():
        task = current_app.tasks[entry["task"]]

        def run(name: str = name, task: Any = task) -> None:
            task()
            runs[name] += 1

        if isinstance(entry["schedule"], BaseSchedule):
            clock.every(60, _when_due(entry["schedule"], run))
        else:
            clock.every(entry["schedule"], run)
    return runs


def _when_due(schedule: BaseSchedule, run: Callable[[], None]) -> Callable[[], None]:
    """Return an action that looks each minute whether a time of the day has come, and then runs `run`."""
    last = datetime.fromtimestamp(time.time(), UTC)

    def look() -> None:
        nonlocal last
        if schedule.is_due(last).is_due:
            last = datetime.fromtimestamp(time.time(), UTC)
            run()

    return look
