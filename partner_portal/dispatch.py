"""Waking Celery: a lost message costs a second, never a call, because beat sweeps the database."""

import structlog
from celery import Task

log = structlog.get_logger(__name__)


def enqueue(task: "Task[[], object]") -> None:
    """Ask a worker to run `task` soon. Call it after the commit; a broker that is away is logged, no more."""
    try:
        task.delay()
    except Exception as error:  # every transport raises its own kind
        log.warning("broker_away", task=task.name, error=type(error).__name__)
