"""The primitive that all queues share: an item that fails never blocks another.

A step passes its items to `Queue.work`. An item that fails is rolled back alone, set aside and retried with growing
pauses. In the end it becomes a dead letter, which staff see and may try again.
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
# E-mail addresses are masked in stored errors: the failed row has them, and loses them when the person is erased.
# It begins only where a word begins, so that no word is read twice.
_IN_AN_ADDRESS = r"[^\s'\"<>{}(),]"
_ADDRESS = re.compile(rf"(?<!{_IN_AN_ADDRESS}){_IN_AN_ADDRESS}+@{_IN_AN_ADDRESS}+")
# A failure that did not recur for this long is over, because the item was handled since.
FORGOTTEN_AFTER = timedelta(days=1)
# The same for a step as a whole: the slowest step runs once an hour.
STEP_FORGOTTEN_AFTER = timedelta(minutes=150)

# Sent with `queue` and `error` in the transaction that gives an item up, for alerts.
item_died = Signal()
# Sent with `queue` when none of its items is a dead letter any more.
queue_recovered = Signal()


def _nothing(_item: int) -> None:
    """Do nothing: the query of the queue finds the item again."""


@dataclass(frozen=True)
class Queue:
    """A queue's step and the rules for its failed items. `Queue.register` shows it to staff."""

    name: str
    # The name that staff read.
    title: str
    # The model of the items; None if an item is not a row.
    model: type[models.Model] | None = None
    max_failures: int = 10
    first_pause: timedelta = timedelta(seconds=5)
    max_pause: timedelta = timedelta(hours=1)
    # Hooks that run when an item is given up, and when staff try it again, each in its own transaction. `retry`
    # returns False if there is nothing left to try.
    give_up: Callable[[int], None] = _nothing
    retry: Callable[[int], bool | None] = _nothing

    @classmethod
    def register(cls, queue: "Queue") -> "Queue":
        """Register a queue under its name and return it."""
        return QUEUES.register(queue.name, queue)

    def resting(self) -> QuerySet[FailedItem, int]:
        """Return the keys of the items that are set aside now."""
        resting = Q(due_at__gt=timezone.now()) | Q(dead_at__isnull=False)
        return FailedItem.objects.filter(resting, queue=self.name).values_list("item", flat=True)

    def ready(self, rows: QuerySet[Row]) -> QuerySet[Row]:
        """Return `rows` without those that are set aside now."""
        return rows.exclude(pk__in=self.resting())

    def work(self, rows: Sequence[Row], step: Callable[[Sequence[Row]], object]) -> int:
        """Do `step` for all `rows` in one transaction; if that fails, for halves of them, down to single rows.

        Returns for how many it was done. A single row that fails is set aside.
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
        """Do `step` for each row in its own transaction. Returns for how many it was done."""
        return sum(self.work([row], lambda alone: step(alone[0])) for row in rows)

    def set_aside(self, item: int, error: Exception) -> FailedItem:
        """Count a failure; the last one makes a dead letter. A failure during the pause before a retry is ignored."""
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
        """Give an item up at once, without further retries."""
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
                # A failing hook must not keep the item from becoming a dead letter.
                self.give_up(failed.item)
        except Exception:
            log.exception("dead_letter_hook_failed", queue=self.name, item=failed.item)
        item_died.send(sender=Queue, queue=self, error=failed.error)

    def _pause(self, failures: int) -> timedelta:
        doubled: timedelta = self.first_pause * 2 ** min(failures - 1, 20)
        return min(doubled, self.max_pause) * random.uniform(0.8, 1.2)  # noqa: S311

    def forget(self, items: Iterable[int]) -> None:
        """Delete the failures of items that start again or are done.

        Sends `queue_recovered` if no dead letter of the queue remains.
        """
        FailedItem.objects.filter(queue=self.name, item__in=list(items)).delete()
        if not FailedItem.objects.filter(queue=self.name, dead_at__isnull=False).exists():
            queue_recovered.send(sender=Queue, queue=self.name)

    def try_again(self, items: Sequence[int]) -> int:
        """Try dead letters again for staff, with all their retries. Returns how many had something left to try."""
        with transaction.atomic():
            self.forget(items)
            return sum(self.retry(item) is not False for item in items)


QUEUES = ExtensionPoint[Queue]("queues", "Steps whose failed items staff see and may try again.")


def queue_named(name: str) -> Queue:
    """Return the registered queue of this name, or a bare one for a step or a queue that no longer exists."""
    return QUEUES.get(name) or Queue(name, name)


def describe_error(error: Exception) -> str:
    """Return an error's type and text, without secrets, e-mail addresses and characters that no database stores."""
    return clean_line(_ADDRESS.sub(MASK, mask(f"{type(error).__name__}: {error}")), 300)


FAILED_STEP = "step "
MAX_FAILURES_OF_A_STEP = 3


def run_steps(*steps: Callable[[], object]) -> int:
    """Run every step; one that fails as a whole does not stop the others. Returns how many succeeded."""
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
    """Count a step's failure; the third makes a dead letter for staff. Skip it while the database is away."""
    if isinstance(error, OperationalError):
        return
    queue = Queue(f"{FAILED_STEP}{name}", name, max_failures=MAX_FAILURES_OF_A_STEP)
    try:
        queue.set_aside(0, error)
    except Exception:
        log.exception("step_failure_not_stored", step=name)


def forget_what_works_again() -> None:
    """Delete failures that did not recur, those of steps sooner because steps run all the time.

    Sends `queue_recovered` for queues without a dead letter.
    """
    now = timezone.now()
    over = Q(dead_at=None, due_at__lt=now - FORGOTTEN_AFTER) | Q(
        queue__startswith=FAILED_STEP, failed_at__lt=now - STEP_FORGOTTEN_AFTER
    )
    gone = set(FailedItem.objects.filter(over).values_list("queue", flat=True))
    FailedItem.objects.filter(over).delete()
    dead = set(FailedItem.objects.filter(dead_at__isnull=False).values_list("queue", flat=True))
    for queue in gone - dead:
        queue_recovered.send(sender=Queue, queue=queue)
