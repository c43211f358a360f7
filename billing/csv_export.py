"""Export of payments as CSV, complete enough to settle Altegio's share of the revenue."""

from typing import Any

from billing.models import Payment, PaymentStatus

HEAD = (
    "id",
    "external_id",
    "altegio_payment_id",
    "application_id",
    "salon_id",
    "location",
    "country",
    "source",
    "status",
    "currency",
    "amount",
    "refunded_amount",
    "net_amount",
    "discount_percent",
    "paid_at",
    "period_from",
    "period_to",
    "recorded_at",
    "reported_at",
    "refund_asked_at",
    "refunded_at",
    "error",
)


def settlement_values(payment: Payment) -> list[Any]:
    """Return a payment's values in the order of `HEAD`.

    The net amount is what Altegio holds and has not refunded: the base of its share.
    """
    nothing = payment.exact_amount * 0
    held = payment.altegio_payment_id is not None
    refunded = payment.exact_amount if payment.status == PaymentStatus.REFUNDED else nothing
    return [
        payment.pk,
        payment.external_id,
        payment.altegio_payment_id,
        payment.application.altegio_id,
        payment.location.altegio_id,
        payment.location.title,
        payment.location.country,
        payment.source,
        payment.status,
        payment.currency,
        payment.exact_amount,
        refunded,
        payment.exact_amount - refunded if held else nothing,
        payment.discount,
        payment.paid_at,
        payment.period_from,
        payment.period_to,
        payment.recorded_at,
        payment.reported_at,
        payment.refund_asked_at,
        payment.refunded_at,
        payment.error,
    ]
