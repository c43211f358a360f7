"""Who goes first when the budget is short, and who keeps a share of it all the same.

Activations go first, because they have an hour; and among them proven and small arrivals. What is said about money
and set-up does not wait without end for them, nor for notifications; a notification, worth telling for seconds, is
now and then told beside any number of activations; and whoever has proven nothing is served last, but served.
"""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet

from integrations.outbox.headroom import activations_can_spare_a_call
from integrations.outbox.models import OutgoingCall, Priority


@dataclass(frozen=True)
class Share:
    """What keeps a part of the calls that would go to something else first, once it has waited for so long."""

    priorities: tuple[Priority, ...]
    part: float = 0.1
    patience: timedelta = timedelta(seconds=5)

    def first_of(self, due: QuerySet[OutgoingCall], now: datetime) -> OutgoingCall | None:
        """Its call that would go first."""
        return due.filter(priority__in=self.priorities, due_at__lte=now - self.patience).first()


MONEY_AND_SETUP = Share((Priority.CHECK, Priority.MONEY, Priority.SETUP))
# Of no use to a phone that has stopped ringing: it has no time to be patient.
NOTIFICATIONS = Share((Priority.NOTIFICATION,), patience=timedelta())
UNPROVEN = Share((Priority.UNPROVEN,))
SHARES = (MONEY_AND_SETUP, NOTIFICATIONS, UNPROVEN)
_dice = random.Random()  # noqa: S311 - nobody gains by guessing it


def whose_turn(due: QuerySet[OutgoingCall], first: OutgoingCall, now: datetime) -> OutgoingCall:
    """The call that goes now: `first`, or one that goes before it. `due` are all that may go, first things first."""
    return _of_a_share(due, first, now) or _spared_by_activations(due, first, now) or first


def _spared_by_activations(due: QuerySet[OutgoingCall], first: OutgoingCall, now: datetime) -> OutgoingCall | None:
    """A notification, or money and set-up that waited, where no activation is missed for it."""
    if first.priority != Priority.ACTIVATION:
        return None
    urgent = NOTIFICATIONS.first_of(due, now) or MONEY_AND_SETUP.first_of(due, now)
    return urgent if urgent is not None and activations_can_spare_a_call(now) else None


def _of_a_share(due: QuerySet[OutgoingCall], first: OutgoingCall, now: datetime) -> OutgoingCall | None:
    """The call of the share that this turn falls to, whatever goes before it. One throw serves all of them."""
    thrown = _dice.random()
    for share in SHARES:
        if thrown < share.part:
            return share.first_of(due, now) if first.priority < min(share.priorities) else None
        thrown -= share.part
    return None
