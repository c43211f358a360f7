"""Owners get one e-mail about each payment and refund that Altegio holds."""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from accounts.emails import send_waiting_emails
from accounts.models import Notification, User
from accounts.notifications import send_digests
from billing.call_kinds import mark_refunded
from billing.models import Payment, Source
from billing.notifications import tell_of_payment
from billing.periods import lock_payment
from integrations.connections.models import Connection
from tests.billing.conftest import Billing
from tests.working import Work

pytestmark = pytest.mark.django_db


def emails_sent() -> list[str]:
    """Send what waits, and return the subjects of the new e-mails about money."""
    before = len(mail.outbox)
    send_digests(timezone.now() + timedelta(minutes=1))
    send_waiting_emails()
    return [
        str(outgoing_email.subject)
        for outgoing_email in mail.outbox[before:]
        if "connected" not in outgoing_email.subject
    ]


def test_a_payment_email_says_amount_period_and_paid_until(
    billing: Billing, connection: Connection, work: Work
) -> None:
    billing.pay()
    assert emails_sent() == [], "Altegio has not confirmed it"
    work()
    assert emails_sent() == ["We have received your payment of €990.99"]
    outgoing_email = mail.outbox[-1].body
    assert "Period: 1 January 2026 – 31 January 2026" in outgoing_email
    assert "Paid until 31 January 2026" in outgoing_email


def test_money_and_dates_are_written_in_the_readers_form(
    billing: Billing, connection: Connection, work: Work
) -> None:
    User.objects.update(language="ru")
    billing.pay()
    work()
    emails_sent()
    assert "990,99\xa0€" in mail.outbox[-1].body
    assert "31 января 2026" in mail.outbox[-1].body


def test_many_payments_are_one_email(billing: Billing, connection: Connection, work: Work) -> None:
    for day in range(1, 13):
        billing.pay(paid_at=f"2026-01-{day:02}T12:00:00Z")
    work()
    assert emails_sent() == ["We have received 12 payments"]
    assert "And 2 more." in mail.outbox[-1].body


def test_a_refund_is_one_email(billing: Billing, connection: Connection, work: Work) -> None:
    payment = billing.pay()
    work()
    emails_sent()
    billing.refund(payment)
    work()
    mark_refunded(lock_payment(payment))
    assert emails_sent() == ["Your payment of €990.99 is refunded"]
    assert emails_sent() == []


def test_a_payment_refunded_before_the_email_is_announced_as_a_refund_only(
    billing: Billing, connection: Connection, work: Work
) -> None:
    payment = billing.pay()
    work()
    billing.refund(payment)
    work()
    assert emails_sent() == ["Your payment of €990.99 is refunded"]


def test_a_payment_that_altegio_never_held_sends_no_email(
    billing: Billing, connection: Connection, work: Work
) -> None:
    billing.refund(billing.pay())
    work()
    assert emails_sent() == []


def test_two_rows_about_one_payment_at_altegio_are_one_email(
    billing: Billing, connection: Connection, work: Work
) -> None:
    payment = billing.pay()
    work()
    stored = Payment.objects.select_related("connection__owner").get(pk=payment)
    tell_of_payment(stored)
    assert len(emails_sent()) == 1
    tell_of_payment(stored)
    assert emails_sent() == []


def test_a_payment_of_a_location_without_an_owner_sends_no_email(
    billing: Billing, connection: Connection, work: Work
) -> None:
    Connection.objects.update(owner=None)
    billing.pay()
    work()
    assert emails_sent() == []


def test_old_payments_from_a_file_send_no_email(billing: Billing, connection: Connection, work: Work) -> None:
    billing.pay()
    Payment.objects.update(source=Source.FILE)
    work()
    assert not Notification.objects.filter(kind="payment").exists()
