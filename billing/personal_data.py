"""What billing holds on a person, for the file that they may take along."""

from typing import Any

from accounts.models import User
from accounts.personal_data import PERSONAL_DATA
from billing.models import Payment, PaymentLink
from billing.money import exact
from integrations.connections.querysets import shown_to_owner

PAYMENT_FIELDS = (
    "location__altegio_id", "external_id", "amount", "currency", "status", "paid_at", "period_from", "period_to",
    "refund_asked_at", "refunded_at",
)  # fmt: skip


def _payments(user: User) -> list[dict[str, Any]]:
    payments = Payment.objects.filter(shown_to_owner("connection__"), connection__owner=user).order_by("pk")
    return [row | {"amount": exact(row["amount"], row["currency"])} for row in payments.values(*PAYMENT_FIELDS)]


def _payment_links(user: User) -> list[Any]:
    links = PaymentLink.objects.filter(connection__owner=user).order_by("pk")
    return list(links.values("connection__location__altegio_id", "option__title", "asked_at", "state"))


PERSONAL_DATA.register("payments", _payments, rank=31)
PERSONAL_DATA.register("payment_links", _payment_links, rank=32)
