"""A payment that Altegio itself collected is recorded once and never reported back."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Notification
from billing.collected import take_collected_payment
from billing.models import Payment
from integrations.connections.models import Connection
from sandbox import Sandbox
from tests.billing.collecting import COLLECTED
from tests.billing.conftest import Billing
from tests.not_none import not_none
from tests.working import Work

from .conftest import SALON

pytestmark = pytest.mark.django_db


def test_a_collected_payment_is_recorded_and_not_reported(
    altegio: Sandbox, billing: Billing, connection: Connection, work: Work
) -> None:
    take_collected_payment(COLLECTED, connection)
    work()
    payment = Payment.objects.get()
    assert (payment.status, payment.source, payment.altegio_payment_id) == ("reported", "altegio", 5001)
    assert (str(payment.exact_amount), str(payment.discount)) == ("29.90", "10.00")
    assert altegio.requests("payment") == []
    assert billing.get(f"connections/{connection.pk}/").json()["paid_until"] == "2026-01-31T23:59:59Z"


def test_a_doubled_callback_changes_nothing(connection: Connection) -> None:
    take_collected_payment(COLLECTED, connection)
    take_collected_payment(COLLECTED, connection)
    assert Payment.objects.count() == 1


def test_a_collected_payment_is_refunded_at_altegio(billing: Billing, connection: Connection) -> None:
    take_collected_payment(COLLECTED, connection)
    assert billing.refund(Payment.objects.get().pk).status_code == 409


def test_a_payment_that_is_being_reported_is_recognised(
    altegio: Sandbox, billing: Billing, connection: Connection, work: Work
) -> None:
    altegio.fault("drop_after", "payment")
    payment = billing.pay(amount="29.90")
    work(rounds=1)
    take_collected_payment(COLLECTED, connection)
    work()
    assert Payment.objects.get().pk == payment
    assert len(not_none(altegio.connection(SALON)).payments) == 1


def test_a_payment_reported_otherwise_before_the_answer_is_taken_over(
    altegio: Sandbox, billing: Billing, connection: Connection, work: Work
) -> None:
    payment = billing.pay()
    take_collected_payment({**COLLECTED, "payment_id": 1001}, connection)
    work()
    shown = Payment.objects.get()
    assert (shown.pk, shown.altegio_payment_id, shown.source) == (payment, 1001, "api")


def test_a_payment_reported_otherwise_whose_answer_was_lost_is_taken_over_and_not_sent_again(
    altegio: Sandbox, billing: Billing, connection: Connection, work: Work
) -> None:
    altegio.fault("drop_after", "payment")
    payment = billing.pay()
    work(rounds=1)
    take_collected_payment({**COLLECTED, "payment_id": 1001}, connection)
    work()
    shown = Payment.objects.get()
    assert (shown.pk, shown.altegio_payment_id, shown.source) == (payment, 1001, "api")
    assert len(not_none(altegio.connection(SALON)).payments) == 1


def test_an_id_that_nobody_has_is_recognised_before_one_that_altegio_collected(
    altegio: Sandbox, billing: Billing, connection: Connection, work: Work
) -> None:
    first = billing.pay()
    work()
    Payment.objects.filter(pk=first).update(source="altegio")
    altegio.fault("drop_after", "payment")
    second = billing.pay()
    work()
    assert dict(Payment.objects.values_list("pk", "altegio_payment_id")) == {first: 1001, second: 1002}


def test_a_callback_about_what_was_sent_before_a_correction_is_recognised(
    altegio: Sandbox, billing: Billing, connection: Connection, work: Work
) -> None:
    altegio.fault("drop_after", "payment")
    altegio.fault("error", "status", status=404)
    payment = billing.pay(external_id="bill")
    work()
    assert billing.report(external_id="bill", amount="500.00").status_code == 202
    take_collected_payment({**COLLECTED, "payment_id": 1001, "amount": "990.99"}, connection)
    work()
    shown = Payment.objects.get()
    assert (shown.pk, shown.altegio_payment_id, str(shown.exact_amount)) == (payment, 1001, "990.99")
    assert len(not_none(altegio.connection(SALON)).payments) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": "-1"},
        {"amount": "1e400"},
        {"amount": None},
        {"currency_iso": "???"},
        {"currency_iso": ["EUR"]},
        {"payment_id": None},
        {"period_to": "2025-01-01 00:00:00"},
        {"payment_date": "soon"},
    ],
)
def test_an_unreadable_payment_is_left_out(connection: Connection, wrong: dict[str, Any]) -> None:
    take_collected_payment({**COLLECTED, **wrong}, connection)
    assert not Payment.objects.exists()


@pytest.mark.parametrize(("amount", "discount"), [("0", "0"), ("0.50", "0.5"), ("99999999999.99", "100")])
def test_the_smallest_and_the_largest_sums_are_taken(connection: Connection, amount: str, discount: str) -> None:
    take_collected_payment({**COLLECTED, "amount": amount, "discount": discount}, connection)
    payment = Payment.objects.get()
    assert (payment.amount, payment.discount) == (Decimal(amount), Decimal(discount))


@pytest.mark.parametrize("discount", [None, "-1", "100.01", "much"])
def test_an_invalid_discount_loses_no_payment(connection: Connection, discount: str | None) -> None:
    take_collected_payment({**COLLECTED, "discount": discount}, connection)
    assert Payment.objects.get().discount is None


def test_the_moment_of_payment_counts_as_the_moment_of_report(connection: Connection) -> None:
    take_collected_payment(COLLECTED, connection)
    payment = Payment.objects.get()
    assert payment.reported_at == payment.paid_at == datetime(2026, 1, 1, 11, tzinfo=UTC)


def test_the_owner_is_notified_of_a_collected_payment(connection: Connection) -> None:
    yesterday = f"{timezone.now() - timedelta(days=1):%Y-%m-%d %H:%M:%S}"
    take_collected_payment({**COLLECTED, "payment_date": yesterday}, connection)
    notification = Notification.objects.get(kind="payment")
    assert (notification.person, notification.subject) == (connection.owner, Payment.objects.get().pk)


@pytest.mark.leaves_stranded("the refund is only planted")
def test_an_equal_payment_beside_one_being_refunded_is_another(connection: Connection) -> None:
    take_collected_payment(COLLECTED, connection)
    Payment.objects.update(status="refund_queued", altegio_payment_id=4001)
    take_collected_payment(COLLECTED, connection)
    assert set(Payment.objects.values_list("altegio_payment_id", flat=True)) == {4001, 5001}


def test_a_location_never_seen_is_left_out(db: None) -> None:
    take_collected_payment(COLLECTED, None)
    assert not Payment.objects.exists()
