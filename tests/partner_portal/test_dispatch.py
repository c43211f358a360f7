"""Messages to Celery: a burst of wishes costs two, and the last wish is not forgotten."""

import threading

from partner_portal import dispatch
from partner_portal.dispatch import enqueue_once

PATIENCE = 10


class Task:
    """Stands in for a Celery task; what it does with a message is not asked here."""

    name = "tests.a-task"

    def __init__(self) -> None:
        self.sent = threading.Semaphore(0)

    def delay(self) -> None:
        self.sent.release()


def test_a_burst_is_served_at_once_and_once_more_for_all_who_came_later(monkeypatch):
    monkeypatch.setattr(dispatch, "GATHERED_FOR", 0.5)
    task = Task()
    for _ in range(5):
        enqueue_once(task)
    assert task.sent.acquire(blocking=False)
    assert not task.sent.acquire(blocking=False)
    assert task.sent.acquire(timeout=PATIENCE)
    assert not task.sent.acquire(blocking=False)
    # The message of the burst's end is over: the next wish is heard again.
    enqueue_once(task)
    assert task.sent.acquire(timeout=PATIENCE)
