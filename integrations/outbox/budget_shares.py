"""Who goes first when the budget is short, and who keeps a share of it all the same.

Activations go first, because they have an hour; and among them proven and small arrivals. What is said about money
and set-up does not wait for them without end, and whoever has proven nothing is served last, but served.
"""

import random
from datetime import datetime, timedelta

from django.db.models import QuerySet

from integrations.outbox.headroom import activations_can_spare_a_call
from integrations.outbox.models import OutgoingCall, Priority

# What has waited for so long claims its share.
PATIENCE = timedelta(seconds=5)
MONEY_AND_SETUP = (Priority.CHECK, Priority.MONEY, Priority.SETUP)
# Of the calls that would go to activations while others wait; and of those that would go to anything else.
SHARE_OF_MONEY_AND_SETUP = 0.1
SHARE_OF_UNPROVEN = 0.1
_dice = random.Random()  # noqa: S311 - nobody gains by guessing it


def whose_turn(due: QuerySet[OutgoingCall], first: OutgoingCall, now: datetime) -> OutgoingCall:
    """The call that goes now: `first`, or one that goes before it. `due` are all that may go, first things first."""
    if first.priority == Priority.ACTIVATION:
        return _before_activation(due, now) or first
    if first.priority in MONEY_AND_SETUP:
        return _share(due, (Priority.UNPROVEN,), SHARE_OF_UNPROVEN, now) or first
    return first


def _before_activation(due: QuerySet[OutgoingCall], now: datetime) -> OutgoingCall | None:
    """A notification, or money and set-up that waited, where no activation is missed for it; else their share."""
    waited = due.filter(priority__in=MONEY_AND_SETUP, due_at__lte=now - PATIENCE).first()
    urgent = due.filter(priority=Priority.NOTIFICATION).first() or waited
    if urgent is not None and activations_can_spare_a_call(now):
        return urgent
    if waited is not None and _dice.random() < SHARE_OF_MONEY_AND_SETUP:
        return waited
    return _share(due, (Priority.UNPROVEN,), SHARE_OF_UNPROVEN, now)


def _share(
    due: QuerySet[OutgoingCall], priorities: tuple[Priority, ...], share: float, now: datetime
) -> OutgoingCall | None:
    if _dice.random() >= share:
        return None
    return due.filter(priority__in=priorities, due_at__lte=now - PATIENCE).first()
