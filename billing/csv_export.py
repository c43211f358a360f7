"""Payments as CSV, complete enough to settle Altegio's share of the revenue from it."""

import csv
import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet

from billing.models import Payment, Status

HEAD = (
    "id",
    "external_id",
    "altegio_payment_id",
    "application_id",
    "salon_id",
    "location",
    "country",
    "payment_data",
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
# What a spreadsheet would run. Where decimals have a comma it splits lines at the semicolon, so inside a text too.
_FORMULA = re.compile(r"""(^|[;\t\r\n])(?=["\s]*[=+\-@\uff1d\uff0b\uff0d\uff20])""")


class _Echo:
    """A file that hands back what is written."""

    def write(self, line: str) -> str:
        return line


def export_lines(payments: QuerySet[Payment]) -> Iterator[str]:
    """The lines of the file, head first, in bounded memory. Times are in UTC.

    `net_amount` is what Altegio holds and is not refunded: the basis of its share.
    """
    writer = csv.writer(_Echo())
    yield writer.writerow(HEAD)
    rows = payments.select_related("application", "location").order_by("pk")
    for payment in rows.iterator(chunk_size=1000):
        yield writer.writerow([cell(value) for value in _values(payment)])


def _values(payment: Payment) -> list[Any]:
    nothing = payment.exact_amount * 0
    held = payment.altegio_payment_id is not None
    refunded = payment.exact_amount if payment.status == Status.REFUNDED else nothing
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


def cell(value: object) -> str:
    """A value as it stands in the file: times in UTC, and nothing that a spreadsheet would run."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}"
    if isinstance(value, int | Decimal):
        return str(value)
    return _FORMULA.sub(r"\1'", str(value))
