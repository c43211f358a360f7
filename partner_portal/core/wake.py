"""Waking a worker: a lost message costs a second, never a call, because beat sweeps the database."""

import threading
import time

import structlog
from celery import current_app

log = structlog.get_logger(__name__)

# A message costs a tenth of the request that sends it; in a burst one serves many.
GATHERED_FOR = 0.05
_sent_at: dict[str, float] = {}
_gathering: set[str] = set()
_lock = threading.Lock()


def wake(task: str, *, pause: float = GATHERED_FOR) -> None:
    """Ask a worker to run the task of this name soon: one message for all who ask within `pause` seconds.

    Call it after the commit. A thread of its own sends, so that a broker that is away keeps nobody waiting; that it
    is away is logged, no more.
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
    except RuntimeError:  # no thread is to be had: the process is full, or ends
        _send(task)


def _send(task: str) -> None:
    # First of all: who commits from now on asks anew.
    with _lock:
        _gathering.discard(task)
        _sent_at[task] = time.monotonic()
    try:
        current_app.send_task(task)
    except Exception as error:  # every transport raises its own kind
        log.warning("broker_away", task=task, error=type(error).__name__)
