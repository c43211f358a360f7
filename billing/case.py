"""Billing's part of a connection's page for staff: payments that failed, what to do next, what is paid."""

from collections.abc import Iterator
from urllib.parse import urlencode

from django.urls import reverse

from accounts.models import User
from billing.call_kinds import ReportPayment
from billing.models import Payment, PaymentStatus
from integrations.alerts.receivers import alert_prefix
from integrations.backoffice.timeline.next_steps import NEXT_STEPS, NextStep
from integrations.backoffice.timeline.sections import CASE_SECTIONS, CaseSection, SectionLine
from integrations.connections.models import LIVE, Connection
from partner_portal.core.admin_base import link_to
from partner_portal.core.admin_way_back import BACK
from partner_portal.core.english import english as _

MAX_FAILED, MAX_SHOWN = 5, 5


@NEXT_STEPS.add(rank=25)
def failed_payments(connection: Connection) -> Iterator[NextStep]:
    """Yield the payments that Altegio did not take, each with its page and the action to send it again."""
    for payment in connection.payments.filter(status=PaymentStatus.FAILED).order_by("-pk")[:MAX_FAILED]:
        text = _("The payment of %(money)s for %(days)s did not reach Altegio: %(why)s") % {
            "money": f"{payment.exact_amount} {payment.currency}",
            "days": _days(payment),
            "why": payment.error or "–",
        }
        yield NextStep(
            text,
            action="send_again",
            row=payment,
            url=f"{reverse('admin:billing_payment_change', args=[payment.pk])}?{_back_to(connection)}",
            label=_("Payment"),
            is_trouble=True,
            says_alerts=(alert_prefix(ReportPayment.name),),
        )


def _back_to(connection: Connection, **query: int) -> str:
    """Return the query of an address whose form leads back to the case."""
    return urlencode({**query, BACK: reverse("admin:connections_connection_change", args=[connection.pk])})


def _days(payment: Payment) -> str:
    return f"{payment.period_from:%Y-%m-%d} – {payment.period_to:%Y-%m-%d}"


@CASE_SECTIONS.add(rank=10)
def money(connection: Connection, reader: User) -> Iterator[CaseSection]:
    """Yield until when the connection is free or paid, its newest payments, and a link to record another one."""
    if not reader.has_perm("billing.view_payment"):
        return
    moments = (
        (_("trial ends"), connection.trial_ends_at),
        (_("paid until"), connection.paid_until),
        (_("next payment expected"), connection.next_payment_at),
    )
    lines = [SectionLine(name, f"{at:%Y-%m-%d %H:%M} UTC") for name, at in moments if at is not None]
    payments = list(connection.payments.order_by("-pk")[:MAX_SHOWN])
    lines += [_line(payment) for payment in payments] or [SectionLine(_("payments"), _("none"))]
    yield CaseSection(_("Money"), lines, _links(connection, reader))


def _line(payment: Payment) -> SectionLine:
    is_bad = payment.status == PaymentStatus.FAILED
    said = link_to(payment, f"{payment.exact_amount} {payment.currency} · {_days(payment)}")
    return SectionLine(payment.get_status_display(), said, is_bad)


def _links(connection: Connection, reader: User) -> tuple[tuple[str, str], ...]:
    if connection.state not in LIVE or not reader.has_perm("billing.add_payment"):
        return ()
    place = {"salon_id": connection.location.altegio_id, "application_id": connection.application.altegio_id}
    return ((f"{reverse('admin:billing_payment_add')}?{_back_to(connection, **place)}", _("Record a payment")),)
