"""The watch: for each state that is not final, a query finds stranded rows, which nothing will move.

It should never find one. A row that it finds is repaired (the missing call is queued, or the state is ended),
reported to staff and counted. A feature registers a check beside its models; docs/architecture.md lists all states.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import structlog
from django.db.models import QuerySet
from django.dispatch import Signal
from django.utils import timezone
from prometheus_client.core import Metric

from partner_portal.core.extension_points import ExtensionPoint
from partner_portal.core.metrics import METRICS, gauge
from partner_portal.core.queues import Queue, run_steps

log = structlog.get_logger(__name__)
MAX_COUNT = 500

# Sent with `check` and `count` when stranded rows were found, for alerts.
stranded_found = Signal()


@dataclass(frozen=True)
class Check:
    """A check for stranded rows of one kind in one state."""

    # The name in the metric and in the table of docs/architecture.md.
    name: str
    # Returns the rows that nothing will move at the given time: no call, no lease, no due time, no deadline.
    find: Callable[[datetime], QuerySet[Any]]
    # Queues what is missing for one row, or ends its state, in its own transaction.
    heal: Callable[[Any], object]
    # Whether it also finds rows that are only late, which is no fault after a stop of all workers.
    by_age: bool = False


CHECKS = ExtensionPoint[Check]("watch checks", "Finds rows that nothing waits for, and mends them.")


def register_check(
    name: str, find: Callable[[datetime], QuerySet[Any]], heal: Callable[[Any], object], *, by_age: bool = False
) -> None:
    """Register a check that runs each minute."""
    CHECKS.register(name, Check(name, find, heal, by_age))


def heal_stranded() -> int:
    """Run every check; one that fails does not stop the others. Returns how many succeeded."""
    return run_steps(*(partial(_look, check) for check in CHECKS))


def _look(check: Check) -> None:
    queue = Queue(f"watch {check.name}", f"Mending: {check.name}")
    rows = list(queue.ready(check.find(timezone.now()))[:MAX_COUNT])
    if not rows:
        return
    log.error("stranded_rows_found", check=check.name, count=len(rows), first=rows[0].pk)
    stranded_found.send(sender=Check, check=check, count=len(rows))
    queue.work_each(rows, partial(_heal, check))


def _heal(check: Check, row: Any) -> None:
    # The row may have moved since it was found.
    if check.find(timezone.now()).filter(pk=row.pk).exists():
        check.heal(row)


def found() -> dict[str, int]:
    """Return how many rows each check finds now, counted up to `MAX_COUNT`, with one query for each."""
    now = timezone.now()
    return {check.name: check.find(now).order_by()[:MAX_COUNT].count() for check in CHECKS}


@METRICS.add()
def watch_found() -> Iterator[Metric]:
    rows = list(found().items())
    yield gauge("portal_watch_found", "Rows in a state that nothing waits for", ["state"], rows)
