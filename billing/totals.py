"""Totals of payments and refunds, by month and currency."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Count, Q, Sum
from django.db.models.functions import TruncMonth

from billing.models import Payment, PaymentStatus
from billing.money import exact

MAX_ROWS = 240


@dataclass(frozen=True)
class MonthTotal:
    """The total of one currency in one month (of the payment date, in UTC)."""

    month: datetime
    currency: str
    count: int
    held: Decimal
    refunded: Decimal
    waiting: Decimal

    @property
    def net(self) -> Decimal:
        return self.held - self.refunded


def totals_by_month() -> list[MonthTotal]:
    """Return the totals, newest months first. `held` is what Altegio holds, `waiting` what is queued."""
    rows = (
        Payment.objects.exclude(status__in=(PaymentStatus.CANCELLED, PaymentStatus.FAILED))
        .annotate(month=TruncMonth("paid_at"))
        .values("month", "currency")
        .annotate(
            count=Count("pk"),
            held=Sum("amount", filter=Q(altegio_payment_id__isnull=False), default=Decimal(0)),
            refunded=Sum("amount", filter=Q(status=PaymentStatus.REFUNDED), default=Decimal(0)),
            waiting=Sum("amount", filter=Q(altegio_payment_id=None), default=Decimal(0)),
        )
        .order_by("-month", "currency")[:MAX_ROWS]
    )
    return [
        MonthTotal(
            month=row["month"],
            currency=row["currency"],
            count=row["count"],
            **{name: exact(row[name], row["currency"]) for name in ("held", "refunded", "waiting")},
        )
        for row in rows
    ]
