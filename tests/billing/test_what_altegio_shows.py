"""Altegio may show a payment otherwise than it was sent, refunded, late, or at a connection that came later."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from billing.contradictions import active_though_refunded, frozen_though_paid
from billing.models import Payment
from billing.periods import follow_payments
from integrations.alerts.models import Alert
from integrations.connections.models import Connection, State
from integrations.connections.transitions import lock, move
from integrations.outbox.models import OutgoingCall
from integrations.status_sync.status_sync import ask_status
from sandbox import Sandbox
from tests.billing.conftest import SALON, Billing
from tests.clock import later
from tests.not_none import not_none
from tests.working import Work

pytestmark = pytest.mark.django_db
FAR = {"period_from": "2026-11-01T00:00:00Z", "period_to": "2126-01-01T00:00:00Z"}


def held(altegio: Sandbox) -> list[Any]:
    with altegio.world.lock:
        return not_none(altegio.world.connection(1, SALON)).payments


def refund_at_altegio(altegio: Sandbox) -> None:
    for payment in held(altegio):
        payment.refunded_at = payment.payment_date


def test_an_accepted_payment_that_altegio_shows_otherwise_is_not_sent_a_second_time(
    altegio: Sandbox, billing: Billing, connection: Connection, work: Work
) -> None:
    altegio.fault("error_after", "payment", status=200, body={"success": True})
    payment = billing.pay()
    work(rounds=1)
    held(altegio)[0].period_to += timedelta(days=1)
    work()
    assert len(altegio.requests("payment")) == 1
    shown = billing.payment(payment)
    assert (shown["status"], shown["error"][:30]) == ("failed", "Altegio accepted this payment ")
    assert Alert.objects.open().filter(kind=Alert.Kind.CALL).exists()


def test_a_payment_refunded_before_its_report_was_known_is_refunded_and_not_sent_again(
    altegio: Sandbox, billing: Billing, connection: Connection, work: Work
) -> None:
    altegio.fault("drop_after", "payment")
    payment = billing.pay()
    work(rounds=1)
    refund_at_altegio(altegio)
    work()
    assert len(held(altegio)) == 1
    shown = billing.payment(payment)
    assert (shown["status"], shown["altegio_payment_id"]) == ("refunded", held(altegio)[0].id)


def test_a_correction_goes_out_where_altegio_has_refunded_what_was_sent_before(
    altegio: Sandbox, billing: Billing, connection: Connection, work: Work
) -> None:
    altegio.fault("drop_after", "payment")
    altegio.fault("error", "status", status=404)
    payment = billing.pay(external_id="bill")
    work()
    refund_at_altegio(altegio)
    assert billing.report(external_id="bill", amount="500.00").status_code == 202
    work()
    shown = billing.payment(payment)
    assert (shown["status"], shown["amount"], shown["error"]) == ("reported", "500.00", "")
    assert [(str(each.payment_sum), each.is_refunded) for each in held(altegio)] == [
        ("990.99", True),
        ("500.00", False),
    ]


def test_a_correction_of_an_accepted_payment_goes_out_once_altegio_shows_that_as_refunded(
    altegio: Sandbox, billing: Billing, connection: Connection, work: Work
) -> None:
    altegio.fault("error_after", "payment", status=200, body={"success": True})
    payment = billing.pay(external_id="bill")
    work(rounds=1)
    held(altegio)[0].period_to += timedelta(days=1)
    work()
    assert billing.payment(payment)["status"] == "failed"
    billing.report(external_id="bill", amount="500.00")
    work()
    assert billing.payment(payment)["status"] == "failed", "what Altegio accepted is not shown"
    held(altegio)[0].period_to -= timedelta(days=1)
    refund_at_altegio(altegio)
    billing.post(f"payments/{payment}/retry/")
    work()
    assert (billing.payment(payment)["status"], len(held(altegio))) == ("reported", 2)


def test_of_two_equal_payments_the_one_that_stands_is_recognised_first(
    altegio: Sandbox, billing: Billing, connection: Connection, work: Work
) -> None:
    altegio.fault("drop_after", "payment", remaining=2)
    payments = [billing.pay(), billing.pay()]
    work(rounds=1)
    refund_at_altegio(altegio)
    work()
    assert [billing.payment(payment)["status"] for payment in payments] == ["refunded", "reported"]
    assert len(held(altegio)) == 2


def test_a_refund_made_at_altegio_ends_the_alert_about_our_own(
    altegio: Sandbox, billing: Billing, connection: Connection, work: Work
) -> None:
    payment = billing.pay()
    work()
    altegio.fault("error", "refund", status=403, remaining=None)
    billing.refund(payment)
    work()
    assert Alert.objects.open().exists()
    refund_at_altegio(altegio)
    ask_status(connection)
    work()
    assert billing.payment(payment)["status"] == "refunded"
    assert not Alert.objects.open().exists()


def test_a_refund_of_what_an_ended_connection_paid_counts_for_the_live_one(
    altegio: Sandbox, billing: Billing, connect: Callable[..., Connection], work: Work
) -> None:
    connect()
    payment = billing.pay(**FAR)
    work()
    altegio.uninstall(SALON)
    with later(24 * 60):
        altegio.grant(SALON, user_id=9001, at=timezone.now())
        again = connect()
    assert not_none(again.paid_until).year == 2126
    altegio.fault("error", "status", status=500, remaining=None)
    billing.refund(payment)
    work(rounds=3)
    again.refresh_from_db()
    assert again.paid_until is None
    status = OutgoingCall.objects.filter(kind="ask_status", connection=again)
    assert status.exists(), "what the refund changes is asked about where it counts"


def freeze(connection: Connection) -> Connection:
    locked = lock(connection.pk)
    move(locked, State.FROZEN, "Altegio says so.")
    follow_payments(locked)
    return locked


def asked_ago(connection: Connection, age: timedelta) -> None:
    Connection.objects.filter(pk=connection.pk).update(status_asked_at=timezone.now() - age)


@pytest.mark.parametrize(
    ("paid", "asked", "is_asked"),
    [
        (timedelta(), timedelta(minutes=11), True),
        (timedelta(), timedelta(minutes=5), False),
        (timedelta(hours=2), timedelta(minutes=11), False),
        (timedelta(hours=2), timedelta(hours=25), True),
    ],
)
def test_a_connection_that_stays_frozen_though_paid_is_asked_about_until_it_thaws(
    billing: Billing, connection: Connection, work: Work, paid: timedelta, asked: timedelta, *, is_asked: bool
) -> None:
    billing.pay(**FAR)
    work()
    freeze(connection)
    Payment.objects.update(updated_at=timezone.now() - paid)
    asked_ago(connection, asked)
    assert frozen_though_paid().exists() == is_asked


def test_a_connection_that_stays_active_though_refunded_is_asked_about(
    billing: Billing, connection: Connection, work: Work
) -> None:
    payment = billing.pay(**FAR)
    work()
    billing.refund(payment)
    work()
    Connection.objects.update(state=State.ACTIVE, next_payment_at=timezone.now() - timedelta(days=40))
    asked_ago(connection, timedelta(minutes=5))
    assert not active_though_refunded().exists()
    asked_ago(connection, timedelta(minutes=11))
    assert active_though_refunded().exists()
    Payment.objects.update(updated_at=timezone.now() - timedelta(hours=2))
    assert not active_though_refunded().exists()
