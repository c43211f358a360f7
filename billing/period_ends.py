"""Noting that a trial or paid period ends soon, or has ended unpaid: once each, and never after a payment.

The end is reported in the same transaction: to the partner's systems by `period_noted`, to the owner by an e-mail.
"""

from datetime import timedelta
from functools import partial

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from billing.models import Payment, PaymentStatus, PeriodNotice
from billing.periods import follow_payments
from billing.signals import period_noted
from billing.subscriptions import overdue, soon
from integrations.connections.models import Connection, Installation, State
from integrations.connections.transitions import lock
from integrations.outbox.watch import key_of, unfinished
from partner_portal.core.queues import Queue

ENDS = Queue.register(Queue("period ends", "Ends of trials and paid periods", Connection))
BATCH = 500
# A payment that Altegio has not taken by then may never arrive: its owner must hear of the end before Altegio
# freezes.
ON_ITS_WAY_LASTS = timedelta(days=1)


def note_ends() -> int:
    """Note the periods that end soon or have ended; return how many. Any number of workers may do so."""
    return sum(_note_all(PeriodNotice.Kind(kind)) for kind in PeriodNotice.Kind)


def without_waiting_payment(connections: QuerySet[Connection]) -> QuerySet[Connection]:
    """Leave out connections whose next payment has been on its way to Altegio for less than `ON_ITS_WAY_LASTS`."""
    report = unfinished(
        key=key_of("payment", "pk", "report_round"), created_at__gte=timezone.now() - ON_ITS_WAY_LASTS
    )
    paid = Payment.objects.filter(report, application=OuterRef("application"), location=OuterRef("location"))
    queued = paid.filter(status=PaymentStatus.QUEUED, period_to__gt=OuterRef("next_payment_at"))
    return connections.exclude(Exists(queued))


def ending() -> QuerySet[Connection]:
    """Return the connections whose owners must hear that their trial or period ends soon."""
    return without_waiting_payment(Connection.objects.filter(soon(), state=State.ACTIVE))


def _note_all(kind: PeriodNotice.Kind) -> int:
    found = ENDS.ready(_unnoted(kind)).order_by("next_payment_at", "pk")[:BATCH]
    return ENDS.work_each(list(found), partial(_note, kind=kind))


def _unnoted(kind: PeriodNotice.Kind) -> QuerySet[Connection]:
    due = ending() if kind == PeriodNotice.Kind.ENDING else _overdue()
    here = Q(installation__application=OuterRef("application"), installation__location=OuterRef("location"))
    noted = PeriodNotice.objects.filter(here, kind=kind, ends_at=OuterRef("next_payment_at"))
    return due.exclude(Exists(noted))


def _overdue() -> QuerySet[Connection]:
    # Without a trial, and before anything was paid, no period could be over.
    no_period = Q(next_payment_at=F("activated_at"), trial_ends_at=None, paid_until=None)
    return without_waiting_payment(Connection.objects.live().filter(overdue())).exclude(no_period)


def _note(found: Connection, kind: PeriodNotice.Kind) -> None:
    """Note the end of one connection's period, if it is still due.

    Payments are taken in under the same lock, so one that came a moment ago, or a change of the trial's days, is
    seen.
    """
    connection = lock(found.pk)
    follow_payments(connection)
    if connection.next_payment_at is None or not _unnoted(kind).filter(pk=connection.pk).exists():
        return
    place = Installation.at(connection.application, connection.location)
    PeriodNotice.objects.create(installation=place, kind=kind, ends_at=connection.next_payment_at)
    period_noted.send(sender=Connection, connection=connection, kind=kind)
