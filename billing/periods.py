"""What payments change about a connection: until when it is paid, when its trial ends, when the next one is due."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import Max, Min
from django.utils import timezone

from billing.models import Payment, PaymentStatus
from integrations.activation.adoption import ADOPTED
from integrations.connections.models import LIVE, Connection
from integrations.connections.transitions import lock, lock_with_place

# The columns of a connection that billing updates together.
COLUMNS = ("trial_ends_at", "paid_until", "next_payment_at")


def lock_payment(payment_id: int) -> Payment:
    """Return the payment, locked until the transaction ends. Its connection is locked first, as everywhere.

    Where that has ended, those beside it are locked too: what is paid counts for the live one.
    """
    connection_id, state = Payment.objects.values_list("connection", "connection__state").get(pk=payment_id)
    connection = lock(connection_id) if state in LIVE else lock_with_place(connection_id)
    payment = Payment.objects.select_for_update(of=("self",), no_key=True).get(pk=payment_id)
    if payment.connection_id != connection.pk or (state in LIVE and connection.state not in LIVE):
        return lock_payment(payment_id)  # it was sent again for a newer connection, or this one ended, at the moment
    payment.connection = connection
    payment.application, payment.location = connection.application, connection.location
    return payment


def paid_until(application_id: int, location_id: int) -> datetime | None:
    """Return the end of the latest period that Altegio holds and that is not refunded, if any (docs/interface.md)."""
    held = Payment.objects.filter(
        application=application_id, location=location_id, altegio_payment_id__isnull=False
    ).exclude(status=PaymentStatus.REFUNDED)
    end: datetime | None = held.aggregate(end=Max("period_to"))["end"]
    return end


def _was_paid_elsewhere(connection: Connection, ends: Sequence[datetime]) -> bool:
    """Return whether the connection was taken over after its trial: then nobody here knows until when it is paid."""
    if connection.claim != ADOPTED or connection.paid_until is not None:
        return False
    # A connection that is being taken over at this moment has no change on record yet.
    taken_over_at = connection.changes.order_by("pk").values_list("at", flat=True).first() or timezone.now()
    return all(end <= taken_over_at for end in ends)


def follow_payments(connection: Connection) -> None:
    """Update the subscription columns of a locked connection from its payments.

    A trial is given once for an application at a location, from its first activation (docs/altegio.md §2), so a
    reconnection shares the trial and the payments of the connections before it.
    """
    siblings = Connection.objects.same_place(connection)
    first: datetime | None = siblings.aggregate(first=Min("activated_at"))["first"]
    trial_days = connection.application.trial_days
    before = [getattr(connection, name) for name in COLUMNS]
    connection.trial_ends_at = first + timedelta(days=trial_days) if first and trial_days else None
    connection.paid_until = paid_until(connection.application_id, connection.location_id)
    ends = [end for end in (connection.trial_ends_at, connection.paid_until) if end]
    connection.next_payment_at = None if _was_paid_elsewhere(connection, ends) else max(ends, default=first)
    if [getattr(connection, name) for name in COLUMNS] != before:
        connection.save(update_fields=COLUMNS)


def follow_payment(payment: Payment) -> Connection:
    """Update the subscription columns that a locked payment counts for; return the connection that counts now.

    That is the payment's own, or the live one at its place.
    """
    follow_payments(payment.connection)
    if payment.connection.state in LIVE:
        return payment.connection
    beside = Connection.objects.live().beside(payment.connection).select_related("application")
    current: Connection | None = beside.first()
    if current is None:
        return payment.connection
    follow_payments(current)
    return current
