"""Owners are told by letter of each payment and refund that Altegio holds, once."""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from accounts.letters import send_waiting_letters
from accounts.models import News, User
from accounts.news import tell_what_is_new
from billing.kinds import mark_refunded
from billing.models import Payment, Source
from billing.news import tell_of_payment
from billing.periods import lock_payment
from integrations.models import Connection

pytestmark = pytest.mark.django_db


def tell() -> list[str]:
    """Some time later: the subjects of the letters about money that went out."""
    before = len(mail.outbox)
    tell_what_is_new(timezone.now() + timedelta(minutes=1))
    send_waiting_letters()
    return [str(letter.subject) for letter in mail.outbox[before:] if "connected" not in letter.subject]


def test_a_payment_is_told_with_amount_period_and_paid_until(billing, connection, work):
    billing.pay()
    assert tell() == [], "Altegio has not confirmed it"
    work()
    assert tell() == ["We have received your payment of €990.99"]
    letter = mail.outbox[-1].body
    assert "Period: 1 January 2026 – 31 January 2026" in letter
    assert "Paid until 31 January 2026" in letter


def test_money_and_dates_are_written_in_the_readers_form(billing, connection, work):
    User.objects.update(language="ru")
    billing.pay()
    work()
    tell()
    assert "990,99\xa0€" in mail.outbox[-1].body
    assert "31 января 2026" in mail.outbox[-1].body


def test_many_payments_are_one_letter(billing, connection, work):
    for day in range(1, 13):
        billing.pay(paid_at=f"2026-01-{day:02}T12:00:00Z")
    work()
    assert tell() == ["We have received 12 payments"]
    assert "And 2 more." in mail.outbox[-1].body


def test_a_refund_is_told_once(billing, connection, work):
    payment = billing.pay()
    work()
    tell()
    billing.refund(payment)
    work()
    mark_refunded(lock_payment(payment))
    assert tell() == ["Your payment of €990.99 is refunded"]
    assert tell() == []


def test_a_payment_taken_back_before_the_letter_is_told_as_refunded_alone(billing, connection, work):
    payment = billing.pay()
    work()
    billing.refund(payment)
    work()
    assert tell() == ["Your payment of €990.99 is refunded"]


def test_a_payment_that_altegio_never_held_is_not_told(billing, connection, work):
    billing.refund(billing.pay())
    work()
    assert tell() == []


def test_the_same_payment_of_altegio_told_by_two_rows_is_one_letter(billing, connection, work):
    payment = billing.pay()
    work()
    stored = Payment.objects.select_related("connection__owner").get(pk=payment)
    tell_of_payment(stored)
    assert len(tell()) == 1
    tell_of_payment(stored)
    assert tell() == []


def test_nobody_is_told_where_the_location_is_nobodys(billing, connection, work):
    Connection.objects.update(owner=None)
    billing.pay()
    work()
    assert tell() == []


def test_old_payments_of_a_file_are_no_news(billing, connection, work):
    billing.pay()
    Payment.objects.update(source=Source.FILE)
    work()
    assert not News.objects.filter(kind="payment").exists()
