"""Billing's entries in a connection's timeline and in a reconciliation's report."""

from collections.abc import Iterator

from billing.matching import versions
from billing.models import Payment, PaymentChange, PaymentStatus
from billing.money import exact
from integrations.altegio.answers import ConnectionStatus
from integrations.backoffice.timeline.entries import TIMELINE, Entry, Rank
from integrations.backoffice.timeline.evidence import facts
from integrations.connections.models import Connection
from integrations.reconciliation.checks import COMPARISONS
from partner_portal.core.english import english as _

MAX_COUNT = 300
# Altegio may hold what is being reported, under an id that is not known here yet.
COMING = (PaymentStatus.QUEUED, PaymentStatus.REFUND_QUEUED)


@TIMELINE.add(rank=60)
def payments(connection: Connection) -> Iterator[Entry]:
    """Yield payments and refunds, newest first."""
    for payment in connection.payments.order_by("-pk")[:MAX_COUNT]:
        money = f"{payment.exact_amount} {payment.currency}"
        bad = payment.status == PaymentStatus.FAILED
        detail = " · ".join(filter(None, (payment.get_status_display(), payment.error)))
        behind = facts(
            ("period", f"{payment.period_from:%Y-%m-%d} – {payment.period_to:%Y-%m-%d}"),
            ("paid at", f"{payment.paid_at:%Y-%m-%d %H:%M} UTC"),
            ("your id", payment.external_id),
            ("told by", payment.get_source_display()),
            ("Altegio's id", payment.altegio_payment_id),
        )
        title = _("Payment of %s") % money
        yield Entry(payment.recorded_at, Rank.CONSEQUENCE, _("payment"), title, detail, payment, bad, behind)
        if payment.refunded_at is not None:
            title = _("Refund of %s") % money
            yield Entry(payment.refunded_at, Rank.CONSEQUENCE, _("refund"), title, "", payment)


@TIMELINE.add(rank=70)
def corrections(connection: Connection) -> Iterator[Entry]:
    """Yield payments that had failed and were sent again."""
    changes = PaymentChange.objects.filter(payment__connection=connection).select_related("payment", "location", "by")
    for change in changes.order_by("-pk")[:MAX_COUNT]:
        title = _("Payment sent again; before: %s") % said(change)
        detail = _("It had failed: %s") % change.error
        yield Entry(change.at, Rank.CONSEQUENCE, _("payment sent again"), title, detail, change.payment)


def said(change: PaymentChange) -> str:
    """Return what the payment said before, and who sent it again."""
    days = f"{change.period_from:%Y-%m-%d} – {change.period_to:%Y-%m-%d}"
    who = str(change.by or change.get_source_display())
    money = f"{exact(change.amount, change.currency)} {change.currency}"
    return " · ".join((money, days, str(change.location), who))


@COMPARISONS.add()
def payment_differences(connection: Connection, status: ConnectionStatus) -> Iterator[str]:
    """Yield payments that only one side holds; Altegio's list covers all payments at the location."""
    here = list(Payment.objects.filter(application=connection.application_id, location=connection.location_id))
    known = {payment.altegio_payment_id for payment in here}
    waiting = [each for each in here if each.status in COMING and each.altegio_payment_id is None]
    unknown = [remote for remote in status.payments if remote.id not in known]
    coming = [version for payment in waiting for version in versions(payment)] if unknown else []
    for remote in unknown:
        if not any(version.is_shown_by(remote) for version in coming):
            yield _("Altegio holds payment %(id)s of %(sum)s, which is not known here.") % {
                "id": remote.id,
                "sum": remote.payment_sum,
            }
    held = {remote.id for remote in status.payments}
    for payment in here if status.shows_all_payments else ():
        if payment.status == PaymentStatus.REPORTED and payment.altegio_payment_id not in held:
            yield _("Payment %(id)s was reported, but Altegio does not hold it.") % {"id": payment.altegio_payment_id}
