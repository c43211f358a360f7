"""Who goes first when the budget is short, and who keeps a share of it all the same.

Activations go first, because they have an hour; and among them proven and small arrivals. What is said about money
and set-up does not wait without end for them, nor for notifications; a notification, worth telling for seconds, is
now and then told beside any number of activations; and whoever has proven nothing is served last, but served.
However much else waits, an arrival goes on: what is spared for others is a part of the calls, by lot.
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
    """What keeps a part of the calls that would go to something else first, once it has waited for so long.

    One for each priority: inside a share nobody would keep anything.
    """

    priority: Priority
    part: float = 0.1
    patience: timedelta = timedelta(seconds=5)

    def first_of(self, due: QuerySet[OutgoingCall], now: datetime) -> OutgoingCall | None:
        """Its call that would go first."""
        return due.filter(priority=self.priority, due_at__lte=now - self.patience).first()


# Of no use to a phone that has stopped ringing: it has no time to be patient.
NOTIFICATIONS = BudgetShare(Priority.NOTIFICATION, patience=timedelta())
CHECKS, MONEY, SETUP = BudgetShare(Priority.CHECK), BudgetShare(Priority.MONEY), BudgetShare(Priority.SETUP)
UNPROVEN = BudgetShare(Priority.UNPROVEN)
SHARES = (NOTIFICATIONS, CHECKS, MONEY, SETUP, UNPROVEN)
# What goes before activations that have time, first things first.
SPARED = (NOTIFICATIONS, CHECKS, MONEY, SETUP)
# The part of the activations' calls that is spared for them while they last.
SPARED_PART = 0.5
_dice = random.Random()  # noqa: S311 - nobody gains by guessing it


def whose_turn(due: QuerySet[OutgoingCall], first: OutgoingCall, now: datetime) -> OutgoingCall:
    """The call that goes now: `first`, or one that goes before it. `due` are all that may go, first things first."""
    return _of_a_share(due, first, now) or _spared_by_activations(due, first, now) or first


def _spared_by_activations(due: QuerySet[OutgoingCall], first: OutgoingCall, now: datetime) -> OutgoingCall | None:
    """A notification, or money and set-up that waited, where no activation is missed for it.

    An activation that has just come, or was just asked about, goes at its turn: one that waits must be asked about,
    which takes a call more than it spares.
    """
    waited = first.priority == Priority.ACTIVATION and first.due_at <= now - clock_tolerance()
    if not waited or _dice.random() >= SPARED_PART:
        return None
    urgent = next(filter(None, (share.first_of(due, now) for share in SPARED)), None)
    # What the shares keep is not the activations' to spare.
    left = 1 - sum(share.part for share in SHARES)
    return urgent if urgent is not None and activations_can_spare_a_call(now, left) else None


def _of_a_share(due: QuerySet[OutgoingCall], first: OutgoingCall, now: datetime) -> OutgoingCall | None:
    """The call of the share that this turn falls to, whatever goes before it. One throw serves all of them."""
    thrown = _dice.random()
    for share in SHARES:
        if thrown < share.part:
            return share.first_of(due, now) if first.priority < share.priority else None
        thrown -= share.part
    return None
