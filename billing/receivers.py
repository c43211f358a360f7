"""What changes in a connection's life do to its payments."""

from typing import Any

from django.db.models import Q
from django.dispatch import receiver

from billing.call_kinds import REPORT_UNCONFIRMED, RefundPayment, ReportPayment, mark_refunded, take_over_later
from billing.intake import MAX_ROUNDS
from billing.matching import find_remote
from billing.models import Payment, PaymentStatus
from billing.periods import follow_payments, lock_payment
from integrations.altegio.answers import ConnectionStatus
from integrations.connections.models import LIVE, Connection, State
from integrations.connections.signals import connection_changed, status_synced
from integrations.connections.transitions import COLUMNS
from integrations.outbox.executor import OUR_FAILURE
from integrations.outbox.models import CallState, OutgoingCall
from integrations.outbox.queue import cancel
from integrations.outbox.signals import call_struggles

TAKEN_OVER = tuple(reason for reason in REPORT_UNCONFIRMED if reason != OUR_FAILURE)
UNINSTALLED = "The location was disconnected before Altegio confirmed this payment."


@receiver(connection_changed)
def end_waiting_payments(connection: Connection, after: State, **_: Any) -> None:
    """Fail the payments that wait for a connection that is gone; one that may have arrived is asked about."""
    if after != State.UNINSTALLED:
        return
    waiting = Payment.objects.filter(
        connection=connection, status__in=(PaymentStatus.QUEUED, PaymentStatus.REFUND_QUEUED), altegio_payment_id=None
    )
    for payment in waiting.select_for_update(no_key=True).order_by("pk"):
        report = OutgoingCall.objects.filter(key=payment.report_key)
        if report.filter(state__in=(CallState.SENDING, CallState.UNCONFIRMED)).exists():
            continue
        # Ending the connection also ends its calls, the report among them; a refund belongs to no connection.
        cancel(payment.calls().filter(connection=None), UNINSTALLED)
        payment.status, payment.error = PaymentStatus.FAILED, UNINSTALLED
        payment.save(update_fields=["status", "error"])


@COLUMNS.add()
def begin_subscription(connection: Connection, after: State) -> None:
    """Give a connection that becomes live its trial, and what was paid for the location before."""
    if after in LIVE:
        follow_payments(connection)


@receiver(call_struggles)
def say_why_it_waits(call: OutgoingCall, reason: str, **_: Any) -> None:
    """Write on a payment why Altegio has not taken it, or its refund, for an hour; it still waits."""
    if call.kind in (ReportPayment.name, RefundPayment.name):
        payment = lock_payment(call.params["payment"])
        if payment.status in (PaymentStatus.QUEUED, PaymentStatus.REFUND_QUEUED) and not payment.error:
            payment.error = reason[:500]
            payment.save(update_fields=["error"])


@receiver(status_synced)
def learn_of_refunds(connection: Connection, status: ConnectionStatus, **_: Any) -> None:
    """Record as refunded what Altegio itself refunded."""
    refunded = [remote.id for remote in status.payments if remote.id and remote.is_refunded]
    unnoticed = Payment.objects.filter(
        application=connection.application_id, altegio_payment_id__in=refunded, status=PaymentStatus.REPORTED
    )
    for payment_id in unnoticed.order_by("pk").values_list("pk", flat=True):
        mark_refunded(lock_payment(payment_id))


@receiver(status_synced)
def ask_about_unconfirmed(connection: Connection, status: ConnectionStatus, **_: Any) -> None:
    """Ask again about failed payments that Altegio may hold, once it shows one like them.

    What failed because of the portal itself is not among them: staff try its call again.
    """
    unconfirmed = Payment.objects.filter(
        application=connection.application_id,
        location=connection.location_id,
        status=PaymentStatus.FAILED,
        error__in=TAKEN_OVER,
        altegio_payment_id=None,
        report_round__lt=MAX_ROUNDS,
    )
    # Thousands may have failed so, in an outage; only those whose sum is shown are looked at.
    sums = {remote.payment_sum for remote in status.payments if remote.payment_sum is not None}
    alike = unconfirmed.filter(Q(amount__in=sums) | Q(changes__amount__in=sums)).distinct()
    for payment_id in alike.order_by("pk").values_list("pk", flat=True):
        payment = lock_payment(payment_id)
        if payment.error in TAKEN_OVER and find_remote(payment, status.payments) is not None:
            take_over_later(payment)
