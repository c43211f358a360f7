"""The order of calls when the budget is short, and the shares that are kept for calls further back.

Activations go first, because they have an hour; proven and small arrivals go first among them. Calls about money and
set-up do not wait without end for them, nor for notifications. A notification, which is of use for seconds only,
sometimes goes before any number of activations. Unproven activations go last, but they do go. However much else
waits, an arrival goes on: only a part of the calls, chosen at random, is given to others.
"""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet

from integrations.connections.window import clock_tolerance
from integrations.outbox.headroom import activations_can_spare_a_call
from integrations.outbox.models import OutgoingCall, Priority


@dataclass(frozen=True)
class BudgetShare:
    """A part of the calls that is kept for a priority, once a call of it has waited for `patience`.

    There is at most one share for each priority: within a share nothing else is kept.
    """

    priority: Priority
    part: float = 0.1
    patience: timedelta = timedelta(seconds=5)
    # Activations have an hour, and what comes after them has not: they give nothing to it.
    after_activations: bool = False

    def is_kept_from(self, first: OutgoingCall) -> bool:
        """Return whether a call of this share may go before `first`, which is the first of all."""
        spares = not self.after_activations or first.priority != Priority.ACTIVATION
        return spares and first.priority < self.priority

    def first_of(self, due: QuerySet[OutgoingCall], now: datetime) -> OutgoingCall | None:
        """Return the first due call of this priority that has waited long enough, or None."""
        return due.filter(priority=self.priority, due_at__lte=now - self.patience).first()


# A notification is of no use once the phone has stopped ringing, so it has no patience.
NOTIFICATIONS = BudgetShare(Priority.NOTIFICATION, patience=timedelta())
CHECKS, MONEY, SETUP = BudgetShare(Priority.CHECK), BudgetShare(Priority.MONEY), BudgetShare(Priority.SETUP)
UNPROVEN = BudgetShare(Priority.UNPROVEN)
# A file with the payments of years takes hours, and statuses, phone calls and rechecks go on beside it.
BULK = BudgetShare(Priority.BULK, after_activations=True)
HOUSEKEEPING = BudgetShare(Priority.HOUSEKEEPING, part=0.05, after_activations=True)
SHARES = (NOTIFICATIONS, CHECKS, MONEY, SETUP, UNPROVEN, BULK, HOUSEKEEPING)
# The shares that go before activations with time to spare, in order.
SPARED = (NOTIFICATIONS, CHECKS, MONEY, SETUP)
# The part of the activations' calls that is given to them while activations can spare it.
SPARED_PART = 0.5
_dice = random.Random()  # noqa: S311 - nobody gains by guessing it


def whose_turn(due: QuerySet[OutgoingCall], first: OutgoingCall, now: datetime) -> OutgoingCall:
    """Return the call that goes now: `first`, or one that goes before it. `due` are all that may go, in order."""
    return _of_a_share(due, first, now) or _spared_by_activations(due, first, now) or first


def _spared_by_activations(due: QuerySet[OutgoingCall], first: OutgoingCall, now: datetime) -> OutgoingCall | None:
    """Return a notification, or a call about money or set-up that has waited, if no activation misses its window for
    it.

    An activation that has just been queued, or was just asked about, keeps its turn: one that waits must be asked
    about, which takes one call more than it spares.
    """
    waited = first.priority == Priority.ACTIVATION and first.due_at <= now - clock_tolerance()
    if not waited or _dice.random() >= SPARED_PART:
        return None
    urgent = next(filter(None, (share.first_of(due, now) for share in SPARED)), None)
    # The activations cannot spare what the shares keep.
    left = 1 - sum(share.part for share in SHARES if not share.after_activations)
    return urgent if urgent is not None and activations_can_spare_a_call(now, left) else None


def _of_a_share(due: QuerySet[OutgoingCall], first: OutgoingCall, now: datetime) -> OutgoingCall | None:
    """Return the call of the share that is drawn for this turn, if any. One random number serves all shares."""
    thrown = _dice.random()
    for share in SHARES:
        if thrown < share.part:
            return share.first_of(due, now) if share.is_kept_from(first) else None
        thrown -= share.part
    return None
