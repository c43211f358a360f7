"""Waking Celery: a lost message costs a second, never a call, because beat sweeps the database."""

import threading
import time

import structlog
from celery import Task

log = structlog.get_logger(__name__)

# A message costs the request that sends it a tenth of its time; in a burst one serves many.
GATHERED_FOR = 0.05
_sent_at: dict[str, float] = {}
_gathering: set[str] = set()
_lock = threading.Lock()


def enqueue(task: "Task[[], object]") -> None:
    """Ask a worker to run `task` soon. Call it after the commit; a broker that is away is logged, no more."""
    try:
        task.delay()
    except Exception as error:  # every transport raises its own kind
        log.warning("broker_away", task=task.name, error=type(error).__name__)


def enqueue_once(task: "Task[[], object]") -> None:
    """`enqueue`, now or, soon after the last time, once for all who ask within `GATHERED_FOR` seconds."""
    with _lock:
        if task.name in _gathering:
            return
        wait = _sent_at.get(task.name, -GATHERED_FOR) + GATHERED_FOR - time.monotonic()
        if wait > 0:
            _gathering.add(task.name)
        else:
            _sent_at[task.name] = time.monotonic()
    if wait > 0:
        later = threading.Timer(wait, _enqueue_gathered, [task])
        later.daemon = True
        later.start()
    else:
        enqueue(task)


def _enqueue_gathered(task: "Task[[], object]") -> None:
    # First of all: who commits from now on asks anew.
    with _lock:
        _gathering.discard(task.name)
        _sent_at[task.name] = time.monotonic()
    enqueue(task)
