"""Intake of payments, each once, by the rules that the API, the admin and imported files share."""

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q, QuerySet

from accounts.models import User
from billing.call_kinds import REPORT_UNCONFIRMED, ReportPayment, queue_refund
from billing.models import CONTENT, Payment, PaymentChange, PaymentStatus, Source
from billing.parsing import InvalidPaymentError, PaymentData
from integrations.connections.models import LIVE, Connection, Location, State, application_for
from integrations.connections.querysets import ConnectionQuerySet
from integrations.connections.transitions import hold
from integrations.outbox.queue import queue, queue_fresh
from partner_portal.core.fast_insert import create
from partner_portal.core.fast_query import Rows


class Overlap(enum.Enum):
    """What to do if a payment known to Altegio covers part of the period already."""

    WARN = "warn"  # accept the payment, and warn
    REFUSE = "refuse"  # refuse it until the caller confirms it
    ALLOW = "allow"  # accept it, because the caller confirms it


# How often programs, and staff, may queue a payment or its refund: a script that retries without end stops there, and
# little is read for each round. The columns are small integers; to widen one rewrites the whole table under a lock.
MAX_ROUNDS, MAX_ROUNDS_OF_STAFF = 1000, 30_000
# The needed columns of three wide rows: reading all of them costs as much as storing the payment.
NEEDED = ("state", "activated_at", "application__altegio_id", "location__altegio_id")
IF_MEANT = "If this is meant, say so (allow_overlap), and it is taken."
NEVER_CONNECTED = (
    "This location has never been connected to application {}. If you mean another one, name it in application_id."
)


class PaymentConflictError(Exception):
    """Raised when the `external_id` was used for other content, or the payment's state forbids the request."""


@dataclass(frozen=True)
class Recorded:
    """The stored payment, whether its report was queued now, and warnings for the caller."""

    payment: Payment
    is_new: bool
    warnings: tuple[str, ...] = ()


def record_payment(
    data: PaymentData, source: Source, *, overlap: Overlap = Overlap.WARN, by: User | None = None
) -> Recorded:
    """Store a payment and queue its report, both in one transaction.

    The same `external_id` with the same content returns the existing payment. With other content it corrects a
    payment that failed; otherwise it raises PaymentConflictError. Raises InvalidPaymentError for a location without a
    connection or (with `REFUSE`) for an overlap.
    """
    # Most ids are new, so the insert comes first and its constraint finds the known ones.
    try:
        with transaction.atomic():
            recorded = _record(data, source, overlap, by)
    except InvalidPaymentError:
        if (known := _known(data)) is None:
            raise
    else:
        if recorded is not None:
            return recorded
        known = shown_payments().get(external_id=data.external_id)
    if says(known, data):
        return Recorded(known, is_new=False)
    return send_again(known.pk, data, source=source, overlap=overlap, by=by)


def check_payment(data: PaymentData, overlap: Overlap) -> tuple[str, ...]:
    """Check as `record_payment` does, but store nothing. Raises the same errors; returns the warnings."""
    known = _known(data)
    if known is not None and says(known, data):
        return ()
    if known is not None and known.status != PaymentStatus.FAILED:
        raise PaymentConflictError(_differs(known, data))
    here = _at(Connection.objects.all(), data.application_id, data.salon_id)
    return _judge_overlap(_best(here, data), data, overlap)


def _known(data: PaymentData) -> Payment | None:
    if data.external_id is None:
        return None
    return shown_payments().filter(external_id=data.external_id).first()


def says(payment: Payment, data: PaymentData) -> bool:
    """Return whether the payment was reported with this content, or has it since a correction."""
    return data.digest in (payment.content_digest, payment_data(payment).digest)


def _record(data: PaymentData, source: Source, overlap: Overlap, by: User | None) -> Recorded | None:
    """Store and return the payment; None if another one has its id."""
    connection = _best(_locked_at(data.application_id, data.salon_id), data)
    warnings = _judge_overlap(connection, data, overlap)
    payment = Payment(
        external_id=data.external_id,
        content_digest=data.digest,
        source=source,
        connection=connection,
        application=connection.application,
        location=connection.location,
        amount=data.amount,
        currency=data.currency,
        paid_at=data.paid_at,
        period_from=data.period_from,
        period_to=data.period_to,
        report_round=1,
        recorded_by=by,
    )
    if not create(payment, ignore_conflicts=True):
        return None
    queue_fresh([ReportPayment.new(payment)])
    return Recorded(payment, is_new=True, warnings=warnings)


def _lockable() -> ConnectionQuerySet:
    """Return connections to be locked as they are read: in the order of their ids, and before their payments."""
    return Connection.objects.select_related("application", "location").select_for_update(of=("self",), no_key=True)


def _at(connections: ConnectionQuerySet, application_id: int, salon_id: int) -> ConnectionQuerySet:
    """Return the connections of the application at the location, with the columns that a payment needs."""
    here = connections.at_altegio(application_id, salon_id)
    return here.select_related("application", "location").only(*NEEDED).order_by("pk")


_locked_at = Rows[Connection](lambda application_id, salon_id: _at(_lockable(), application_id, salon_id))


def _best(here: Iterable[Connection], data: PaymentData) -> Connection:
    """Return the connection a payment belongs to: the live one, else the newest grant, else the newest ever active.

    This is not always the current one: money never goes to a claim that was not accepted and no longer waits. Raises
    InvalidPaymentError if there is none.
    """
    ranked = [(_rank(connection), connection.pk, connection) for connection in here]
    rank, _pk, connection = max(ranked, default=(0, 0, None))
    if rank and connection:
        return connection
    if application_for(data.application_id) is None:
        raise InvalidPaymentError({"application_id": ["There is no such application here."]})
    raise InvalidPaymentError({"salon_id": [NEVER_CONNECTED.format(data.application_id)]})


def _rank(connection: Connection) -> int:
    if connection.state in LIVE:
        return 3
    if connection.state == State.GRANTED:
        return 2
    return 1 if connection.activated_at else 0


def _judge_overlap(connection: Connection, data: PaymentData, overlap: Overlap) -> tuple[str, ...]:
    if overlap is Overlap.ALLOW:
        return ()
    covered = Payment.objects.filter(
        application=connection.application_id,
        location=connection.location_id,
        period_from__lte=data.period_to,
        period_to__gte=data.period_from,
        status__in=(PaymentStatus.QUEUED, PaymentStatus.REPORTED),
    ).only("period_from", "period_to")[:1]
    if not covered:
        return ()
    first = covered[0]
    warning = (
        f"The period overlaps the one of payment {first.pk} "
        f"({first.period_from:%Y-%m-%d %H:%M} to {first.period_to:%Y-%m-%d %H:%M} UTC)."
    )
    if overlap is Overlap.REFUSE:
        raise InvalidPaymentError({"period_from": [f"{warning} {IF_MEANT}"]})
    return (warning,)


def send_again(
    payment_id: int,
    data: PaymentData | None = None,
    *,
    source: Source,
    overlap: Overlap = Overlap.ALLOW,
    by: User | None = None,
) -> Recorded:
    """Send a payment that failed again, with `data` as its new content if given; Altegio is asked before it is sent.

    The former content is kept (`PaymentChange`): if Altegio turns out to hold it, nothing is sent. A payment whose
    refund was requested is not sent unchanged: what Altegio holds of it is refunded; a correction withdraws the
    refund. Raises PaymentConflictError for a payment that has not failed; one that has this content already stays as
    it is. Raises InvalidPaymentError as `record_payment` does.
    """
    with transaction.atomic():
        payment, here = _locked(payment_id, data)
        if data is not None and payment.status != PaymentStatus.FAILED and says(payment, data):
            return Recorded(payment, is_new=False)
        _may_be_sent_again(payment, data)
        refuse_endless_rounds(payment.report_round, by_staff=source == Source.ADMIN)
        correction = data or payment_data(payment)
        connection = _best(here, correction)
        warnings = _judge_overlap(connection, correction, overlap)
        is_refund_wished = payment.refund_asked_at is not None and correction.digest == payment_data(payment).digest
        _keep_what_it_said(payment, source, by)
        if data is not None and source != Source.ADMIN:
            payment.content_digest = data.digest
        _say(payment, correction, connection)
        queue([ReportPayment.new(payment)])
        if is_refund_wished:
            queue_refund(payment)
        else:
            payment.refund_asked_at = None
        payment.save(update_fields=["status", "refund_round", "refund_asked_at"])
        return Recorded(payment, is_new=True, warnings=warnings)


def hold_places(payments: Sequence[PaymentData]) -> None:
    """Lock, in a fixed order, the connections of payments stored one by one: where each belongs, or once did."""
    there = Location.objects.filter(altegio_id__in={data.salon_id for data in payments})
    known = Payment.objects.filter(external_id__in={data.external_id for data in payments if data.external_id})
    # Two lists of keys: PostgreSQL uses an index for each of them, but none for subqueries.
    at, of = list(there.values_list("pk", flat=True)), list(known.values_list("connection", flat=True))
    hold(Connection.objects.filter(Q(location__in=at) | Q(pk__in=of)))


def _locked(payment_id: int, data: PaymentData | None) -> tuple[Payment, list[Connection]]:
    """Return the payment and the connections at its place, all locked; its own connection is locked before it too."""
    before = shown_payments().get(pk=payment_id)
    place = data or payment_data(before)
    there = Q(application__altegio_id=place.application_id, location__altegio_id=place.salon_id)
    connections = list(_lockable().filter(there | Q(pk=before.connection_id)).order_by("pk"))
    payment = shown_payments().select_for_update(of=("self",), no_key=True).get(pk=payment_id)
    if payment.connection_id not in {connection.pk for connection in connections}:
        raise PaymentConflictError(
            "Another request changed this payment at the same moment. Read it again, and repeat your request."
        )
    wanted = (place.application_id, place.salon_id)
    return payment, [
        each for each in connections if (each.application.altegio_id, each.location.altegio_id) == wanted
    ]


def _may_be_sent_again(payment: Payment, data: PaymentData | None) -> None:
    if payment.status != PaymentStatus.FAILED:
        raise PaymentConflictError(
            _differs(payment, data)
            if data
            else f"Only a payment that failed can be sent again; this one is {payment.status}."
        )
    here = (payment.application.altegio_id, payment.location.altegio_id)
    if data is not None and payment.error in REPORT_UNCONFIRMED and (data.application_id, data.salon_id) != here:
        raise PaymentConflictError(
            "Altegio may hold this payment at the location it was told for: send it again as it was first."
        )


def refuse_endless_rounds(rounds: int, *, by_staff: bool = False) -> None:
    """Raise PaymentConflictError if it was queued so often that only a loop can be the cause."""
    if rounds < (MAX_ROUNDS_OF_STAFF if by_staff else MAX_ROUNDS):
        return
    then = "" if by_staff else " Once the cause is mended, staff may try again on the payment's page."
    raise PaymentConflictError(f"It was tried {rounds} times, and Altegio has not taken it: ask Altegio why.{then}")


def _differs(payment: Payment, data: PaymentData) -> str:
    before = payment_data(payment)
    names = [
        name for name in ("salon_id", "application_id", *CONTENT) if getattr(before, name) != getattr(data, name)
    ]
    undo = (
        "Refund it first; then tell" if payment.status in (PaymentStatus.QUEUED, PaymentStatus.REPORTED) else "Tell"
    )
    return (
        f"A payment with this external_id exists already, with another {', '.join(names)}; "
        f"it is {payment.status} and stays as it is. {undo} the other one under an external_id of its own."
    )


def _keep_what_it_said(payment: Payment, source: Source, by: User | None) -> None:
    PaymentChange.objects.create(
        payment=payment,
        source=source,
        by=by,
        error=payment.error,
        application=payment.application,
        location=payment.location,
        **{name: getattr(payment, name) for name in CONTENT},
    )


def _say(payment: Payment, data: PaymentData, connection: Connection) -> None:
    for name in CONTENT:
        setattr(payment, name, getattr(data, name))
    payment.connection = connection
    payment.application, payment.location = connection.application, connection.location
    payment.status, payment.error = PaymentStatus.QUEUED, ""
    payment.report_round += 1
    payment.save()


def payment_data(payment: Payment) -> PaymentData:
    """Return a stored payment as the data that would report it."""
    return PaymentData(
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
    """Return payments with the rows that an answer about them needs, in one query."""
    return Payment.objects.select_related("application", "location")
