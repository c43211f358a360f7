"""Refund of a payment: once, and never sent if the payment itself was not."""

from django.db import transaction
from django.utils import timezone

from billing.call_kinds import REFUND_UNCONFIRMED, REPORT_UNCONFIRMED, mark_refunded, queue_refund
from billing.intake import PaymentConflictError, refuse_endless_rounds
from billing.models import Payment, PaymentStatus, Source
from billing.periods import lock_payment
from integrations.outbox.models import CallState, OutgoingCall
from integrations.outbox.queue import cancel

NOTHING_TO_REFUND = "This payment failed: there is nothing to refund."
ASK_FIRST = (
    "This payment failed, but Altegio may hold it: send it again (POST /payments/{id}/retry/), which asks Altegio "
    "first, and refund it then."
)


def refund_payment(payment_id: int, *, by_staff: bool = False) -> tuple[Payment, bool]:
    """Refund a payment; return it, and whether this changed anything.

    Raises PaymentConflictError if it cannot be refunded.

    A payment whose report still waits is cancelled. One whose report is under way, or unconfirmed, is refunded behind
    it: the calls of a connection go in order.
    """
    with transaction.atomic():
        payment = lock_payment(payment_id)
        if payment.status in (PaymentStatus.REFUND_QUEUED, PaymentStatus.REFUNDED, PaymentStatus.CANCELLED):
            return payment, False
        if payment.status == PaymentStatus.FAILED:
            raise PaymentConflictError(ASK_FIRST if payment.error in REPORT_UNCONFIRMED else NOTHING_TO_REFUND)
        if payment.source == Source.ALTEGIO:
            raise PaymentConflictError("Altegio collected this payment: it is refunded there, and shows here then.")
        refuse_endless_rounds(payment.refund_round, by_staff=by_staff)
        payment.error, payment.refund_asked_at = "", timezone.now()
        if payment.status == PaymentStatus.QUEUED and _cancel_report(payment):
            payment.status = PaymentStatus.CANCELLED
        else:
            queue_refund(payment)
        payment.save(update_fields=["status", "error", "refund_asked_at", "refund_round"])
        return payment, True


def is_unconfirmed(payment: Payment) -> bool:
    """Return whether Altegio may have refunded the payment without saying so."""
    return payment.status == PaymentStatus.REPORTED and payment.error in REFUND_UNCONFIRMED


def note_refund(payment_id: int) -> None:
    """Record that an unconfirmed refund was made, as staff have heard from Altegio. Raises PaymentConflictError."""
    with transaction.atomic():
        payment = lock_payment(payment_id)
        if not is_unconfirmed(payment):
            raise PaymentConflictError("Whether this payment is refunded is not in doubt: there is nothing to note.")
        mark_refunded(payment)


def _cancel_report(payment: Payment) -> bool:
    """Cancel the report; return whether it could be: none of it was sent, or Altegio said that it is not there."""
    unsent = OutgoingCall.objects.filter(key=payment.report_key, state__in=(CallState.HELD, CallState.QUEUED))
    return bool(cancel(unsent, "The payment was refunded."))
