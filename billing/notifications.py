"""Notifications about money: a payment was received, a payment was refunded."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.email_rendering import EMAIL_CONTEXTS
from accounts.models import User
from accounts.notifications import NotificationKind, digest_context, notify, register_notification
from billing.models import Payment, PaymentStatus, Source
from integrations.connections.brand import brand_of_all
from partner_portal.core.formats import money

# A file may import the payments of years, which are too old to be reported to owners.
HISTORY = timedelta(days=30)


class _AboutPayments(NotificationKind):
    status: PaymentStatus

    def still_true(self, person: User, subjects: Sequence[int]) -> list[int]:
        mine = Payment.objects.filter(pk__in=subjects, connection__owner=person, status=self.status)
        return list(mine.order_by("pk").values_list("pk", flat=True))


@register_notification
class Paid(_AboutPayments):
    """A payment that Altegio holds."""

    name = "payment"
    status = PaymentStatus.REPORTED


@register_notification
class Refunded(_AboutPayments):
    """A payment that Altegio holds as refunded."""

    name = "refund"
    status = PaymentStatus.REFUNDED


def tell_of_payment(payment: Payment) -> None:
    """Notify the owner, once, that Altegio holds this payment."""
    if not _is_history(payment):
        notify(Paid, payment.connection.owner, payment.pk, key=_key(payment))


def tell_of_refund(payment: Payment) -> None:
    """Notify the owner, once, that Altegio holds this payment as refunded."""
    if not _is_history(payment):
        notify(Refunded, payment.connection.owner, payment.pk, key=_key(payment))


def _key(payment: Payment) -> str:
    """Return a key with Altegio's id: what it reports as collected may turn out to be reported from here."""
    return f"{payment.application_id}:{payment.altegio_payment_id}"


def _is_history(payment: Payment) -> bool:
    return payment.source == Source.FILE and payment.paid_at < timezone.now() - HISTORY


@EMAIL_CONTEXTS.add(Paid.name)
@EMAIL_CONTEXTS.add(Refunded.name)
def with_payments(params: dict[str, Any]) -> dict[str, Any]:
    """Return the context of an e-mail about some payments and `more` of them."""
    shown = Payment.objects.select_related("connection__location", "connection__application").in_bulk(
        params["subjects"]
    )
    lines = [_line(shown[pk]) for pk in params["subjects"] if pk in shown]
    brand = brand_of_all(payment.connection for payment in shown.values())
    return digest_context(lines, params) | {"brand": brand}


def _line(payment: Payment) -> dict[str, Any]:
    connection = payment.connection
    return {
        "location": connection.title or _("Location %(id)s") % {"id": connection.location.altegio_id},
        "application": connection.application.shown_name,
        "amount": money(payment.exact_amount, payment.currency),
        "period_from": payment.period_from,
        "period_to": payment.period_to,
        "paid_until": connection.paid_until,
    }
