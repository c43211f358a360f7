"""Watch checks for payments, refunds, links and discounts that no waiting call reports to Altegio."""

from datetime import datetime

from django.db.models import OuterRef, QuerySet

from billing.call_kinds import queue_refund, queue_report
from billing.models import Discount, OfferState, Payment, PaymentLink, PaymentStatus
from billing.offers import FetchLink, GiveDiscount, NotOfferedError, ask_for_link, give_discount
from billing.periods import lock_payment
from integrations.outbox.watch import key_of, unfinished
from partner_portal.core.watch import register_check

REPORT_WAITS = unfinished(key=key_of("payment", "pk", "report_round"))
REFUND_WAITS = unfinished(key=key_of("refund", "pk", "refund_round"))


def _unreported(now: datetime) -> QuerySet[Payment]:
    return Payment.objects.filter(~REPORT_WAITS, status=PaymentStatus.QUEUED)


def _report(found: Payment) -> None:
    """Queue a new round of the report, which asks Altegio before it sends."""
    payment = lock_payment(found.pk)
    if payment.status == PaymentStatus.QUEUED:
        queue_report(payment)


def _unrefunded(now: datetime) -> QuerySet[Payment]:
    return Payment.objects.filter(~REFUND_WAITS, status=PaymentStatus.REFUND_QUEUED)


def _refund(found: Payment) -> None:
    """Queue a new round of the refund, behind its report if that is not known to have arrived: calls go in order."""
    payment = lock_payment(found.pk)
    if payment.status != PaymentStatus.REFUND_QUEUED:
        return
    if payment.altegio_payment_id is None:
        queue_report(payment)
    queue_refund(payment)
    payment.save(update_fields=["refund_round"])


def _unasked(now: datetime) -> QuerySet[PaymentLink]:
    waits = unfinished(connection=OuterRef("connection"), kind=FetchLink.name, coalesce_key=key_of("link", "pk"))
    return PaymentLink.objects.filter(~waits, state=OfferState.QUEUED)


def _ask(link: PaymentLink) -> None:
    try:
        ask_for_link(link.connection, link.option, link.discount)
    except NotOfferedError as why:
        PaymentLink.objects.filter(pk=link.pk).update(state=OfferState.FAILED, error=str(why)[:500])


def _ungiven(now: datetime) -> QuerySet[Discount]:
    waits = unfinished(
        connection=OuterRef("connection"), kind=GiveDiscount.name, coalesce_key=key_of("discount", "pk")
    )
    return Discount.objects.filter(~waits, state=OfferState.QUEUED)


def _give(discount: Discount) -> None:
    try:
        give_discount(discount.connection, discount.percent)
    except NotOfferedError as why:
        Discount.objects.filter(pk=discount.pk).update(state=OfferState.FAILED, error=str(why)[:500])


register_check("payment: queued", _unreported, _report)
register_check("payment: refund queued", _unrefunded, _refund)
register_check("payment link: queued", _unasked, _ask)
register_check("discount: queued", _ungiven, _give)
