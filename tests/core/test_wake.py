"""A burst of wake-ups sends two messages to Celery, and the last one is not lost."""

import threading

import pytest
from celery import current_app

from partner_portal.core.wake import wake

PATIENCE = 10


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> threading.Semaphore:
    """Count the messages instead of sending them."""
    messages = threading.Semaphore(0)
    monkeypatch.setattr(current_app, "send_task", lambda _name: messages.release())
    return messages


def test_a_burst_sends_one_message_at_once_and_one_for_all_later_calls(sent: threading.Semaphore) -> None:
    wake("tests.a-task", pause=0.5)
    assert sent.acquire(timeout=PATIENCE)
    for _ in range(5):
        wake("tests.a-task", pause=0.5)
    assert not sent.acquire(blocking=False)
    assert sent.acquire(timeout=PATIENCE)
    assert not sent.acquire(blocking=False)
    # The message at the burst's end is done, so the next wake-up is heard again.
    wake("tests.a-task", pause=0.5)
    assert sent.acquire(timeout=PATIENCE)


def test_an_unavailable_broker_is_no_error_for_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = threading.Event()

    def away(_name: str) -> None:
        asked.set()
        raise ConnectionError

    monkeypatch.setattr(current_app, "send_task", away)
    wake("tests.another-task")
    assert asked.wait(PATIENCE)


def test_the_message_is_sent_even_if_no_thread_can_start(
    sent: threading.Semaphore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_timer: threading.Timer) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Timer, "start", full)
    for _ in range(2):
        wake("tests.a-third-task")
    assert sent.acquire(blocking=False)
    assert sent.acquire(blocking=False)
