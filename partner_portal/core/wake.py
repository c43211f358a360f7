"""Waking of workers. A lost message only delays work by a second, because beat sweeps the database."""

import threading
import time

import structlog
from celery import current_app

log = structlog.get_logger(__name__)

# Seconds. Sending takes a tenth of the time of the request that sends, so one message serves a burst of requests.
GATHERED_FOR = 0.05
_sent_at: dict[str, float] = {}
_gathering: set[str] = set()
_lock = threading.Lock()


def wake(task: str, *, pause: float = GATHERED_FOR) -> None:
    """Ask a worker to run the task of this name soon, with one message for all calls within `pause` seconds.

    Call it after the commit. Another thread sends the message, so that nobody waits for a broker that is away. Such
    a failure is only logged.
    """
    with _lock:
        if task in _gathering:
            return
        _gathering.add(task)
        wait = _sent_at.get(task, -pause) + pause - time.monotonic()
    timer = threading.Timer(max(wait, 0), _send, [task])
    timer.daemon = True
    try:
        timer.start()
    except RuntimeError:  # no thread can start: the process has too many, or is ending
        _send(task)


def _send(task: str) -> None:
    # Clear the mark before sending, so that a caller who commits from now on asks again.
    with _lock:
        _gathering.discard(task)
        _sent_at[task] = time.monotonic()
    try:
        current_app.send_task(task)
    except Exception as error:  # every transport raises its own types
        log.warning("broker_away", task=task, error=type(error).__name__)
