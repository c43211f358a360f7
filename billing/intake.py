"""Taking a payment in, once: the rules that the API, the admin and imported files share."""

import enum
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from accounts.models import User
from billing.kinds import ReportPayment
from billing.models import Payment, Source, Status
from billing.periods import lock_payment
from billing.reading import Invalid, Told
from integrations.models.application import application_for
from integrations.models.connection import LIVE, Connection, State
from integrations.outbox.queue import queue, queue_fresh


class Overlap(enum.Enum):
    """What to do with a period that a payment known to Altegio covers already."""

    WARN = "warn"  # take it, and say so
    REFUSE = "refuse"  # refuse it until the caller says that it is meant
    ALLOW = "allow"  # the caller says that it is meant


class Conflict(Exception):
    """This `external_id` was used for another content, or the payment's state forbids what is asked."""


@dataclass(frozen=True)
class Recorded:
    """The payment, whether it is new, and what the caller should look at."""

    payment: Payment
    is_new: bool
    warnings: tuple[str, ...] = ()


def record_payment(
    told: Told, source: Source, *, overlap: Overlap = Overlap.WARN, by: User | None = None
) -> Recorded:
    """Store a payment and queue its report, both in one transaction.

    The same `external_id` with the same content gives the payment there is. Raises Conflict for other
    content, and Invalid for a location without a connection or (with `REFUSE`) for an overlap.
    """
    try:
        with transaction.atomic():
            return _known(told) or _record(told, source, overlap, by)
    except IntegrityError:
        # Two requests told of it at the same time; the constraint let one through.
        if (known := _known(told)) is None:
            raise
        return known


def check_payment(told: Told, overlap: Overlap) -> tuple[str, ...]:
    """What `record_payment` would say, without storing anything. Raises the same; returns the warnings."""
    if _known(told) is not None:
        return ()
    return _judge_overlap(_connection_for(told, Connection.objects.all()), told, overlap)


def _known(told: Told) -> Recorded | None:
    # Most ids are new: the index alone answers that, and cheaply.
    if told.external_id is None or not Payment.objects.filter(external_id=told.external_id).exists():
        return None
    payment = shown_payments().get(external_id=told.external_id)
    if told.digest not in (payment.told, told_by(payment).digest):
        raise Conflict("A payment with this external_id was told before, with other content.")
    return Recorded(payment, is_new=False)


def _record(told: Told, source: Source, overlap: Overlap, by: User | None) -> Recorded:
    connection = _connection_for(told, Connection.objects.select_for_update(of=("self",), no_key=True))
    warnings = _judge_overlap(connection, told, overlap)
    payment = Payment.objects.create(
        external_id=told.external_id,
        told=told.digest,
        source=source,
        connection=connection,
        application=connection.application,
        location=connection.location,
        amount=told.amount,
        currency=told.currency,
        paid_at=told.paid_at,
        period_from=told.period_from,
        period_to=told.period_to,
        report_round=1,
        recorded_by=by,
    )
    queue_fresh([ReportPayment.new(payment)])
    return Recorded(payment, is_new=True, warnings=warnings)


def _connection_for(told: Told, connections: QuerySet[Connection]) -> Connection:
    """The connection a payment belongs to: the live one, else the newest grant, else the newest ever active."""
    here = (
        connections.select_related("application", "location")
        .filter(application__altegio_id=told.application_id, location__altegio_id=told.salon_id)
        .order_by("pk")
    )
    ranked = [(_rank(connection), connection.pk, connection) for connection in here]
    rank, _pk, connection = max(ranked, default=(0, 0, None))
    if rank and connection:
        return connection
    if application_for(told.application_id) is None:
        raise Invalid({"application_id": ["There is no such application here."]})
    raise Invalid({"salon_id": ["This location has never been connected here."]})


def _rank(connection: Connection) -> int:
    if connection.state in LIVE:
        return 3
    if connection.state == State.GRANTED:
        return 2
    return 1 if connection.activated_at else 0


def _judge_overlap(connection: Connection, told: Told, overlap: Overlap) -> tuple[str, ...]:
    if overlap is Overlap.ALLOW:
        return ()
    covered = Payment.objects.filter(
        application=connection.application_id,
        location=connection.location_id,
        period_from__lte=told.period_to,
        period_to__gte=told.period_from,
        status__in=(Status.QUEUED, Status.REPORTED),
    ).only("period_from", "period_to")[:1]
    if not covered:
        return ()
    first = covered[0]
    warning = (
        f"The period overlaps the one of payment {first.pk} "
        f"({first.period_from:%Y-%m-%d %H:%M} to {first.period_to:%Y-%m-%d %H:%M} UTC)."
    )
    if overlap is Overlap.REFUSE:
        raise Invalid({"period_from": [f"{warning} Say that this is meant, and it is taken."]})
    return (warning,)


def send_again(payment_id: int, told: Told) -> Payment:
    """Correct a payment that failed, and queue its report once more; Altegio is asked before it is sent.

    The location stays as it was told. Raises Conflict unless the payment failed.
    """
    with transaction.atomic():
        payment = lock_payment(payment_id)
        if payment.status != Status.FAILED:
            raise Conflict("Only a payment that failed can be corrected and sent again.")
        for name in ("amount", "currency", "paid_at", "period_from", "period_to"):
            setattr(payment, name, getattr(told, name))
        payment.status, payment.error = Status.QUEUED, ""
        payment.report_round += 1
        payment.save()
        queue([ReportPayment.new(payment)])
        return payment


def told_by(payment: Payment) -> Told:
    """A stored payment as it would be told."""
    return Told(
        external_id=payment.external_id,
        salon_id=payment.location.altegio_id,
        application_id=payment.application.altegio_id,
        amount=payment.exact_amount,
        currency=payment.currency,
        paid_at=payment.paid_at,
        period_from=payment.period_from,
        period_to=payment.period_to,
    )


def shown_payments() -> QuerySet[Payment]:
    """Payments with what an answer about them needs, in one query."""
    return Payment.objects.select_related("application", "location")
