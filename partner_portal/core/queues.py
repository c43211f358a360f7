"""One item that fails never holds up another: what the steps of every queue share.

A step gives its items to `Queue.work`. Those that work are done; the one that fails is rolled back alone, set
aside and tried again ever more slowly, and ends as a dead letter that staff see and may try again.
"""

import random
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

import structlog
from django.db import OperationalError, models, transaction
from django.db.models import Q, QuerySet
from django.dispatch import Signal
from django.utils import timezone

from partner_portal.core.clean import clean_line
from partner_portal.core.extension_points import ExtensionPoint
from partner_portal.core.masking import MASK, mask
from partner_portal.core.models import FailedItem

log = structlog.get_logger(__name__)

Row = TypeVar("Row", bound=models.Model)
# Whom it was written to is in the row that failed, and goes when the person does.
_ADDRESS = re.compile(r"[^\s'\"<>{}(),]+@[^\s'\"<>{}(),]+")
# A failure that did not come again for so long is over: the item was handled since.
FORGOTTEN_AFTER = timedelta(days=1)
# The slowest step runs once an hour.
STEP_FORGOTTEN_AFTER = timedelta(minutes=150)

# `queue`, `error`: in the transaction that gives an item up. For alerts.
item_died = Signal()
# `queue`: none of its items is a dead letter any more.
queue_recovered = Signal()


def _nothing(_item: int) -> None:
    """The item is found again by the query of its queue."""


@dataclass(frozen=True)
class Queue:
    """One queue's step, and what becomes of its items that fail. `Queue.register` makes it known to staff."""

    name: str
    # What staff read.
    title: str
    # The table of the items; None where the item is no row.
    model: type[models.Model] | None = None
    max_failures: int = 10
    first_pause: timedelta = timedelta(seconds=5)
    max_pause: timedelta = timedelta(hours=1)
    # What else happens when an item is given up, and when staff try it again; each in its own transaction. `retry`
    # returns False where there is nothing left to try.
    give_up: Callable[[int], None] = _nothing
    retry: Callable[[int], bool | None] = _nothing

    @classmethod
    def register(cls, queue: "Queue") -> "Queue":
        """Make a queue known by its name."""
        return QUEUES.register(queue.name, queue)

    def resting(self) -> QuerySet[FailedItem, int]:
        """The keys of the items that are set aside now."""
        resting = Q(due_at__gt=timezone.now()) | Q(dead_at__isnull=False)
        return FailedItem.objects.filter(resting, queue=self.name).values_list("item", flat=True)

    def ready(self, rows: QuerySet[Row]) -> QuerySet[Row]:
        """Those of `rows` that are not set aside now."""
        return rows.exclude(pk__in=self.resting())

    def work(self, rows: Sequence[Row], step: Callable[[Sequence[Row]], object]) -> int:
        """Do `step` for all `rows` in one transaction, or where that fails for parts of them.

        Returns for how many it was done. What fails alone is set aside.
        """
        if not rows:
            return 0
        try:
            with transaction.atomic():
                step(rows)
        except Exception as error:
            if len(rows) == 1:
                log.exception("item_failed", queue=self.name, item=rows[0].pk)
                self.set_aside(rows[0].pk, error)
                return 0
        else:
            return len(rows)
        middle = len(rows) // 2
        return self.work(rows[:middle], step) + self.work(rows[middle:], step)

    def work_each(self, rows: Iterable[Row], step: Callable[[Row], object]) -> int:
        """Do `step` for each row in a transaction of its own. Returns for how many it was done."""
        return sum(self.work([row], lambda alone: step(alone[0])) for row in rows)

    def set_aside(self, item: int, error: Exception) -> FailedItem:
        """Count a failure; the last one makes a dead letter. A resting item that fails again is not counted."""
        now = timezone.now()
        with transaction.atomic():
            failed, is_new = FailedItem.objects.select_for_update().get_or_create(
                queue=self.name,
                item=item,
                defaults={"error": describe_error(error), "due_at": now + self.first_pause},
            )
            if not is_new:
                failed.failed_at, failed.error = now, describe_error(error)
                if failed.due_at <= now:
                    failed.failures += 1
                    failed.due_at = now + self._pause(failed.failures)
            if failed.failures >= self.max_failures and failed.dead_at is None:
                self._end(failed, now)
            failed.save()
        return failed

    def bury(self, item: int, why: str) -> None:
        """Give an item up at once: its time is over."""
        with transaction.atomic():
            failed, _made = FailedItem.objects.get_or_create(queue=self.name, item=item, defaults={"error": why})
            failed.error = failed.error or why
            self._end(failed, timezone.now())
            failed.save()

    def _end(self, failed: FailedItem, now: datetime) -> None:
        failed.dead_at = now
        log.error("item_given_up", queue=self.name, item=failed.item, failures=failed.failures)
        try:
            with transaction.atomic():
                self.give_up(failed.item)
        except Exception:
            log.exception("giving_up_failed", queue=self.name, item=failed.item)
        item_died.send(sender=Queue, queue=self, error=failed.error)

    def _pause(self, failures: int) -> timedelta:
        doubled: timedelta = self.first_pause * 2 ** min(failures - 1, 20)
        return min(doubled, self.max_pause) * random.uniform(0.8, 1.2)  # noqa: S311

    def forget(self, items: Iterable[int]) -> None:
        """These begin anew, or are over: no failure counts any more."""
        FailedItem.objects.filter(queue=self.name, item__in=list(items)).delete()
        if not FailedItem.objects.filter(queue=self.name, dead_at__isnull=False).exists():
            queue_recovered.send(sender=Queue, queue=self.name)

    def try_again(self, items: Sequence[int]) -> int:
        """Staff want these dead letters tried once more, with all their tries. Returns how many are."""
        with transaction.atomic():
            self.forget(items)
            return sum(self.retry(item) is not False for item in items)


QUEUES = ExtensionPoint[Queue]("queues", "Steps whose failed items staff see and may try again.")


def queue_named(name: str) -> Queue:
    """The registered queue of this name; for a step, or one that no code has any more, its bare name."""
    return QUEUES.get(name) or Queue(name, name)


def describe_error(error: Exception) -> str:
    """Return what an error says, without secrets and addresses, and as any database stores it."""
    return clean_line(_ADDRESS.sub(MASK, mask(f"{type(error).__name__}: {error}")), 300)


FAILED_STEP = "step "
MAX_FAILURES_OF_A_STEP = 3


def run_steps(*steps: Callable[[], object]) -> int:
    """Run every step; one that fails as a whole keeps no other from running. Returns how many worked."""
    worked = 0
    for step in steps:
        try:
            step()
        except Exception as error:
            name = _name_of(step)
            log.exception("step_failed", step=name)
            note_failed_step(name, error)
        else:
            worked += 1
    return worked


def _name_of(step: Callable[[], object]) -> str:
    return step.func.__name__ if isinstance(step, partial) else step.__name__


def note_failed_step(name: str, error: Exception) -> None:
    """Tell staff of a step that fails again and again. With the database away there is nowhere to write."""
    if isinstance(error, OperationalError):
        return
    queue = Queue(f"{FAILED_STEP}{name}", name, max_failures=MAX_FAILURES_OF_A_STEP)
    try:
        queue.set_aside(0, error)
    except Exception:
        log.exception("step_failure_not_stored", step=name)


def forget_what_works_again() -> None:
    """Failures that did not come again are over; a step's own sooner, because it runs all the time."""
    now = timezone.now()
    over = Q(dead_at=None, due_at__lt=now - FORGOTTEN_AFTER) | Q(
        queue__startswith=FAILED_STEP, failed_at__lt=now - STEP_FORGOTTEN_AFTER
    )
    gone = set(FailedItem.objects.filter(over).values_list("queue", flat=True))
    FailedItem.objects.filter(over).delete()
    dead = set(FailedItem.objects.filter(dead_at__isnull=False).values_list("queue", flat=True))
    for queue in gone - dead:
        queue_recovered.send(sender=Queue, queue=queue)
