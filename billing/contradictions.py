"""Connections whose state at Altegio contradicts what was paid or refunded: Altegio is asked until both agree.

Altegio thaws a connection after a payment, and freezes it after a refund, in its own time and not always with a
callback (docs/altegio.md §3).
"""

from datetime import timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from billing.models import Payment, PaymentStatus
from integrations.connections.models import Connection, State
from integrations.reconciliation.unconfirmed import UNCONFIRMED_SOURCES

# Altegio follows a refund within an hour.
FOLLOWS_WITHIN = timedelta(minutes=75)
ASKED_EVERY = timedelta(minutes=10)
A_DAY = timedelta(days=1)


@UNCONFIRMED_SOURCES.add()
def frozen_though_paid() -> QuerySet[Connection]:
    """Return the frozen connections that are paid for: every few minutes after the payment, later once a day."""
    now = timezone.now()
    frozen = Connection.objects.filter(state=State.FROZEN, next_payment_at__gt=now)
    return frozen.filter(_due_after_a(PaymentStatus.REPORTED) | Q(status_asked_at__lte=now - A_DAY))


@UNCONFIRMED_SOURCES.add()
def active_though_refunded() -> QuerySet[Connection]:
    """Return the active connections whose paid period was refunded: every few minutes after the refund.

    Later they are among those whose period has ended (`integrations/reconciliation/rechecks.py`).
    """
    active = Connection.objects.filter(state=State.ACTIVE, next_payment_at__lte=timezone.now())
    return active.filter(_due_after_a(PaymentStatus.REFUNDED))


def _due_after_a(status: PaymentStatus) -> Q:
    """Return the condition that a payment at the place has just come to this status, and it is time to ask again."""
    now = timezone.now()
    here = {"application": OuterRef("application"), "location": OuterRef("location")}
    changed = Payment.objects.filter(**here, status=status, updated_at__gte=now - FOLLOWS_WITHIN)
    return Q(Exists(changed), status_asked_at__lte=now - ASKED_EVERY)
