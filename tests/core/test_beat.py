"""Beat sweeps each second, whatever the clock does."""

from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.utils import timezone

from partner_portal.celery import app
from partner_portal.core.beat import SteadyScheduler


@pytest.fixture
def scheduler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SteadyScheduler:
    scheduler = SteadyScheduler(app=app, schedule_filename=str(tmp_path / "schedule"), lazy=False)
    monkeypatch.setattr(scheduler, "apply_entry", lambda *_args, **_options: None)
    return scheduler


def seconds_until_idle(scheduler: SteadyScheduler) -> float:
    """Return how long beat sleeps once everything due has been started."""
    while (delay := scheduler.tick()) == 0:
        pass
    return delay


def test_beat_goes_on_after_the_clock_was_set_back(scheduler: SteadyScheduler) -> None:
    seconds_until_idle(scheduler)
    with time_machine.travel(timezone.now() - timedelta(minutes=5)):
        assert seconds_until_idle(scheduler) <= 1.0
