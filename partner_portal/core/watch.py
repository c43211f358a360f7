"""Nothing rests unseen: for each state that is not final, a query finds the rows that nothing waits for.

It should never find one. What it finds is mended (the missing call is queued, or the state is ended), told to staff
and counted. A feature registers a check beside its models; docs/architecture.md lists all states.
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

# `check`, `count`: rows were found that nothing waited for. For alerts.
stranded_found = Signal()


@dataclass(frozen=True)
class Check:
    """One kind of row in states that are not final."""

    # For the metric, and for the table in docs/architecture.md.
    name: str
    # The rows that nothing waits for at the given moment: no call, no lease, no due time, no deadline.
    find: Callable[[datetime], QuerySet[Any]]
    # Queue what is missing for one row, or end its state; in a transaction of its own.
    heal: Callable[[Any], object]
    # Whether it also finds what only came too late: after a stop of all workers that is no fault.
    by_age: bool = False


CHECKS = ExtensionPoint[Check]("watch checks", "Finds rows that nothing waits for, and mends them.")


def register_check(
    name: str, find: Callable[[datetime], QuerySet[Any]], heal: Callable[[Any], object], *, by_age: bool = False
) -> None:
    """Look for rows of this kind each minute."""
    CHECKS.register(name, Check(name, find, heal, by_age))


def heal_stranded() -> int:
    """Run every check; one that fails keeps no other from running. Returns how many of them worked."""
    return run_steps(*(partial(_look, check) for check in CHECKS))


def _look(check: Check) -> None:
    queue = Queue(f"watch {check.name}", f"Mending: {check.name}")
    rows = list(queue.ready(check.find(timezone.now()))[:MAX_COUNT])
    if not rows:
        return
    log.error("stranded", check=check.name, count=len(rows), first=rows[0].pk)
    stranded_found.send(sender=Check, check=check, count=len(rows))
    queue.work_each(rows, partial(_heal, check))


def _heal(check: Check, row: Any) -> None:
    # It may have moved since it was found.
    if check.find(timezone.now()).filter(pk=row.pk).exists():
        check.heal(row)


def found() -> dict[str, int]:
    """How many rows each check finds now, counted up to `MAX_COUNT`: one query for each."""
    now = timezone.now()
    return {check.name: check.find(now).order_by()[:MAX_COUNT].count() for check in CHECKS}


@METRICS.add()
def watch_found() -> Iterator[Metric]:
    rows = list(found().items())
    yield gauge("portal_watch_found", "Rows in a state that nothing waits for", ["state"], rows)
