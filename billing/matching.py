"""Recognition of a payment among those that Altegio holds (docs/altegio.md §2), by sum, payment date and period.

Two equal real payments are not one: an id that another payment reported from here already has is taken. The calls of
a connection go one after another, so at most one equal payment is unconfirmed at a time.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from django.conf import settings

from billing.models import CONTENT, Payment, PaymentChange, Source
from integrations.altegio.answers import RemotePayment, as_decimal
from integrations.altegio.wire import to_wire
from integrations.outbox.models import Attempt
from partner_portal.core.clean import InvalidJsonError, parse_json

MOMENTS = ("payment_date", "period_from", "period_to")
# What a payment looks like on the wire: the sum and the three times. A time there has no zone: in the hour that a
# change of clocks repeats, two instants are written alike.
Form = tuple[Decimal | None, tuple[str | None, ...]]


@dataclass(frozen=True)
class Version:
    """What a payment says, or said before a correction, with each form in which that is or was sent."""

    content: Payment | PaymentChange
    forms: set[Form]
    calls: set[int] = field(default_factory=set)  # those that sent it

    def is_shown_by(self, remote: RemotePayment) -> bool:
        """Return whether this is the payment that Altegio shows."""
        times = (remote.payment_date, remote.period_from, remote.period_to)
        return (remote.payment_sum, tuple(map(_wire, times))) in self.forms


def find_remote(
    payment: Payment, held: Iterable[RemotePayment]
) -> tuple[RemotePayment, Payment | PaymentChange] | None:
    """Return this payment, whose report is unconfirmed, as Altegio holds it, and as what; None if it does not.

    Altegio may hold it as it is or as it was before a correction, and may have refunded it since. An earlier content
    that it has refunded leaves the correction free to go.
    """
    for remote, version in _shown(payment, list(held)):
        if not (remote.is_refunded and is_former(payment, version.content)):
            return remote, version.content
    return None


def undone_calls(payment: Payment, held: Iterable[RemotePayment]) -> set[int]:
    """Return the calls that sent an earlier content which Altegio has refunded."""
    shown = [version for remote, version in _shown(payment, list(held)) if remote.is_refunded]
    return {call for version in shown if is_former(payment, version.content) for call in version.calls}


def versions(payment: Payment) -> list[Version]:
    """Return what the payment says, then what it said before, at the location where it is.

    What was sent counts as it was written then: ALTEGIO_TIME_ZONE may have been put right since.
    """
    changes = list(payment.changes.all()) if payment.report_round > 1 else []
    contents: list[Payment | PaymentChange] = [payment, *changes]
    found = [Version(content, {_form(content)}) for content in contents]
    sent = Attempt.objects.filter(call__in=payment.calls(), purpose=Attempt.Purpose.SEND)
    for call, queued_at, body in sent.values_list("call", "call__created_at", "request_body"):
        # A call sends what the payment said until the next correction.
        number = next((number for number, change in enumerate(changes, 1) if change.at > queued_at), 0)
        found[number].forms.update(_sent(body))
        found[number].calls.add(call)
    here = (payment.application_id, payment.location_id)
    return [each for each in found if (each.content.application_id, each.content.location_id) == here]


def is_former(payment: Payment, content: Payment | PaymentChange) -> bool:
    """Return whether the content is not what the payment says now."""
    return any(getattr(payment, name) != getattr(content, name) for name in CONTENT)


def _shown(payment: Payment, held: list[RemotePayment]) -> Iterator[tuple[RemotePayment, Version]]:
    """Yield for each version the payment at Altegio that it is, if there is one.

    Altegio's callback about this very payment may have been recorded as one that Altegio collected, so such a copy
    takes no id; but one that nobody has comes first.
    """
    ids = [remote.id for remote in held if remote.id]
    others = Payment.objects.filter(application=payment.application_id, altegio_payment_id__in=ids)
    source = dict(others.exclude(pk=payment.pk).values_list("altegio_payment_id", "source"))
    free = [remote for remote in held if remote.id and source.get(remote.id) in (None, Source.ALTEGIO)]
    free.sort(key=lambda remote: (remote.id in source, remote.is_refunded, remote.id))
    for version in versions(payment):
        for remote in filter(version.is_shown_by, free):
            yield remote, version
            break


def _form(content: Payment | PaymentChange) -> Form:
    return content.amount, tuple(map(_wire, (content.paid_at, content.period_from, content.period_to)))


def _sent(body: str) -> Iterator[Form]:
    """Yield the form of a payment in the recorded body of its report; nothing for another body."""
    try:
        data = parse_json(body)
    except InvalidJsonError:
        return
    if isinstance(data, dict) and data.keys() >= {"payment_sum", *MOMENTS}:
        yield as_decimal(data["payment_sum"]), tuple(data[name] for name in MOMENTS)


def _wire(moment: datetime | None) -> str | None:
    return None if moment is None else to_wire(moment, settings.ALTEGIO_TIME_ZONE)
