"""Suggested values for a location's next payment: the period that follows, and the last payment's amount."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from billing.models import Payment, PaymentStatus
from integrations.connections.models import Connection

USUAL_PERIOD = timedelta(days=30)
_SECOND = timedelta(seconds=1)


def suggested_payment(salon_id: str, application_id: str) -> dict[str, Any]:
    """Return the form's first values by the form's names; none without a live connection. UTC, whole seconds."""
    if not (salon_id.isascii() and salon_id.isdecimal() and application_id.isascii() and application_id.isdecimal()):
        return {}
    here = {"location__altegio_id": salon_id[:18], "application__altegio_id": application_id[:18]}
    connection = Connection.objects.live().filter(**here).first()
    if connection is None:
        return {}
    place = {"location": connection.location_id, "application": connection.application_id}
    standing = (PaymentStatus.QUEUED, PaymentStatus.REPORTED)
    last = Payment.objects.filter(**place, status__in=standing).order_by("-period_to").first()
    now = timezone.now().replace(microsecond=0)
    # The end of a period belongs to it, so the next one begins a second later.
    ends = [end for end in (connection.next_payment_at, last.period_to if last else None) if end]
    starts_at = max(ends).replace(microsecond=0) + _SECOND if ends else now
    length = last.period_to - last.period_from if last else USUAL_PERIOD
    paid = {"amount": str(last.exact_amount), "currency": last.currency} if last else {}
    return {"paid_at": now, "period_from": starts_at, "period_to": starts_at + length, **paid}
