"""Recognition of a payment among those that Altegio holds (docs/altegio.md §2), by sum, payment date and period.

Two equal real payments are not one: an id that another payment reported from here already has is taken. The calls of
a connection go one after another, so at most one equal payment is unconfirmed at a time.
"""

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings

from billing.models import Payment, PaymentChange, Source
from integrations.altegio.answers import RemotePayment
from integrations.altegio.wire import to_wire


def find_remote(
    payment: Payment, held: Iterable[RemotePayment], said: PaymentChange | None = None
) -> RemotePayment | None:
    """Return this payment, whose report is unconfirmed, as Altegio holds it; None if Altegio does not hold it.

    Altegio may have refunded it since. With `said`, look for the payment as it was before a correction.

    Altegio's callback about this very payment may have been recorded as one that Altegio collected, so such a copy
    takes no id; but one that nobody has comes first.
    """
    data = said or payment
    equal = {remote.id: remote for remote in held if remote.id and is_same(data, remote)}
    others = Payment.objects.filter(application=payment.application_id, altegio_payment_id__in=equal)
    source = dict(others.exclude(pk=payment.pk).values_list("altegio_payment_id", "source"))
    free = [remote for remote_id, remote in equal.items() if source.get(remote_id) in (None, Source.ALTEGIO)]
    return min(free, key=lambda remote: (remote.id in source, remote.is_refunded, remote.id), default=None)


def is_same(payment: Payment | PaymentChange, remote: RemotePayment) -> bool:
    """Return whether the content is equal, compared in the form in which it is sent.

    A time on the wire has no zone: in the hour that a change of clocks repeats, two instants are written alike.
    """
    return remote.payment_sum == payment.amount and all(
        _wire(here) == _wire(there)
        for here, there in (
            (payment.paid_at, remote.payment_date),
            (payment.period_from, remote.period_from),
            (payment.period_to, remote.period_to),
        )
    )


def _wire(moment: datetime | None) -> str | None:
    return None if moment is None else to_wire(moment, settings.ALTEGIO_TIME_ZONE)
