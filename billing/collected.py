"""Payments that Altegio itself collected from the owner: recorded, and never reported back (docs/altegio.md §4)."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import structlog
from django.conf import settings
from django.db.models import Q

from billing.matching import versions
from billing.models import Payment, PaymentStatus, Source
from billing.money import CURRENCIES, MAX_DECIMALS, MAX_DIGITS
from billing.notifications import tell_of_payment
from billing.periods import follow_payments
from integrations.altegio.answers import RemotePayment, as_decimal, read_remote_payment
from integrations.connections.models import Connection
from integrations.connections.transitions import lock
from integrations.lifecycle.handlers import register_callback_handler

log = structlog.get_logger(__name__)
# The report of such a payment is not settled, so Altegio's callback about an equal payment may be about this very
# one.
UNSETTLED = (PaymentStatus.QUEUED, PaymentStatus.REFUND_QUEUED, PaymentStatus.FAILED)
MAX_AMOUNT = Decimal(10) ** (MAX_DIGITS - MAX_DECIMALS)


@dataclass(frozen=True)
class Collected:
    """A payment as the callback reports it, with everything that must be known."""

    altegio_payment_id: int
    amount: Decimal
    currency: str
    discount: Decimal | None
    paid_at: datetime
    period_from: datetime
    period_to: datetime


def take_collected_payment(callback_body: dict[str, Any], connection: Connection | None) -> None:
    """Record what a stored `payment` callback reports, whose signature was checked when it arrived.

    A repeated callback changes nothing. One about a payment that was reported from here is that payment, not another.
    Runs in the callback's transaction; `connection` is None for an unknown location.
    """
    remote = _remote(callback_body)
    collected = _read(remote, callback_body)
    if connection is None or collected is None:
        log.warning("collected_payment_not_taken", payment=remote.id, known=connection is not None)
        return
    connection = lock(connection.pk)
    if not _is_known(connection, remote):
        _record(connection, collected)
        follow_payments(connection)


def _remote(data: dict[str, Any]) -> RemotePayment:
    entry = {**data, "id": data.get("payment_id"), "payment_sum": data.get("amount")}
    return read_remote_payment(entry, settings.ALTEGIO_TIME_ZONE)


def _read(remote: RemotePayment, data: dict[str, Any]) -> Collected | None:
    """Return the payment; None if something is missing or impossible."""
    currency, discount = data.get("currency_iso"), as_decimal(data.get("discount"))
    if remote.id is None or remote.payment_sum is None or not 0 <= remote.payment_sum < MAX_AMOUNT:
        return None
    if remote.payment_date is None or remote.period_from is None or remote.period_to is None:
        return None
    if not isinstance(currency, str) or currency not in CURRENCIES or remote.period_to < remote.period_from:
        return None
    return Collected(
        altegio_payment_id=remote.id,
        amount=remote.payment_sum,
        currency=currency,
        discount=discount if discount is not None and 0 <= discount <= 100 else None,
        paid_at=remote.payment_date,
        period_from=remote.period_from,
        period_to=remote.period_to,
    )


def _is_known(connection: Connection, remote: RemotePayment) -> bool:
    here = Payment.objects.filter(application=connection.application_id)
    if here.filter(altegio_payment_id=remote.id).exists():
        return True
    unsettled = here.filter(location=connection.location_id, status__in=UNSETTLED, altegio_payment_id=None)
    # What was sent before a correction may have arrived, too.
    alike = unsettled.filter(Q(amount=remote.payment_sum) | Q(changes__amount=remote.payment_sum)).distinct()
    return any(version.is_shown_by(remote) for payment in alike for version in versions(payment))


def _record(connection: Connection, collected: Collected) -> None:
    payment = Payment.objects.create(
        source=Source.ALTEGIO,
        connection=connection,
        application=connection.application,
        location=connection.location,
        status=PaymentStatus.REPORTED,
        reported_at=collected.paid_at,
        altegio_payment_id=collected.altegio_payment_id,
        amount=collected.amount,
        currency=collected.currency,
        discount=collected.discount,
        paid_at=collected.paid_at,
        period_from=collected.period_from,
        period_to=collected.period_to,
    )
    tell_of_payment(payment)


register_callback_handler("payment", take_collected_payment)
