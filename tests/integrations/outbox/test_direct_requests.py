"""A question from a terminal keeps to the shared budget and never waits long in silence."""

from time import monotonic
from types import SimpleNamespace

import pytest
import time_machine
from pytest_django.fixtures import Settings

from integrations.altegio import requests
from integrations.altegio.answers import Outcome
from integrations.backoffice.doctor.examination import _reach
from integrations.outbox import direct_requests, rate
from integrations.outbox.direct_requests import ask_now
from sandbox import Sandbox

pytestmark = pytest.mark.django_db


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the pauses, none of which really lasts; the third is one too many."""
    made: list[float] = []

    def sleep(seconds: float) -> None:
        made.append(seconds)
        assert len(made) < 3, "It waits in silence."

    monkeypatch.setattr(direct_requests, "time", SimpleNamespace(monotonic=monotonic, sleep=sleep))
    return made


def test_a_pause_that_altegio_asked_for_is_reported_at_once(
    altegio: Sandbox, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate, "_now", lambda: 0.0)
    rate.pause(3600)
    with time_machine.travel("2026-10-01T21:30:00Z", tick=False):
        answer = ask_now(requests.countries())
        finding = _reach("Altegio's API", requests.countries())
    assert answer.outcome is Outcome.LIMITED
    said = "Altegio lets nobody ask until 2026-10-01 22:30:00 UTC, because there were too many calls."
    assert answer.message == finding.message == said
    assert not altegio.requests()
    assert not waits


def test_a_second_full_of_calls_is_waited_for(altegio: Sandbox, waits: list[float], settings: Settings) -> None:
    settings.ALTEGIO_REQUESTS_PER_SECOND = 1
    assert isinstance(rate.take_slot(), rate.Slot)
    with pytest.raises(AssertionError, match="in silence"):
        ask_now(requests.countries())
    assert max(waits) <= 1


def test_a_429_to_a_terminal_makes_the_workers_wait_too(altegio: Sandbox) -> None:
    altegio.fault("error", "countries", status=429, headers={"Retry-After": "600"})
    assert ask_now(requests.countries()).outcome is Outcome.LIMITED
    slot = rate.take_slot()
    assert isinstance(slot, rate.Wait)
    assert slot.seconds > 500
