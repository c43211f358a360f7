"""A payment reported to the portal stands at Altegio once, whatever happens on the way."""

import time
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings
from time_machine import TimeMachineFixture

from billing.intake import send_again
from billing.models import Source
from billing.parsing import read_payment
from integrations.alerts.models import Alert
from integrations.alerts.receivers import tell_of_struggling_call
from integrations.connections.models import Connection
from integrations.outbox.models import Attempt, OutgoingCall
from integrations.status_sync.status_sync import ask_status
from sandbox import Sandbox, Status
from tests.billing.conftest import Billing
from tests.not_none import not_none
from tests.working import Work

from .conftest import JANUARY, SALON

pytestmark = pytest.mark.django_db


def held(altegio: Sandbox, salon: int = SALON) -> list[Any]:
    """Return the payments that Altegio holds, without the refunded ones."""
    return [payment for payment in not_none(altegio.connection(salon)).payments if not payment.is_refunded]


def test_a_payment_is_queued_and_then_reported_with_altegios_id(
    altegio: Sandbox, billing: Billing, connection: Connection, work: Work
) -> None:
    answer = billing.report()
    assert answer.status_code == 202
    assert answer.json()["status"] == "queued"
    assert answer.json()["altegio_payment_id"] is None

    work()

    shown = billing.payment(answer.json()["id"])
    assert shown["status"] == "reported"
    assert shown["altegio_payment_id"] == held(altegio)[0].id


def test_the_sum_goes_out_exact_with_the_currencys_digits(
    altegio: Sandbox, billing: Billing, connection: Connection, work: Work
) -> None:
    billing.pay(amount="990.90")
    billing.pay(amount="1500", currency="JPY", period_from="2026-02-01T00:00:00Z", period_to="2026-02-28T00:00:00Z")
    billing.pay(amount="0.001", currency="KWD", period_from="2026-03-01T00:00:00Z", period_to="2026-03-02T00:00:00Z")
    work()
    bodies = [request.raw_body for request in altegio.requests("payment")]
    assert [body[body.index('"payment_sum"') :].split(",")[0] for body in bodies] == [
        '"payment_sum": 990.90',
        '"payment_sum": 1500',
        '"payment_sum": 0.001',
    ]


def test_times_go_out_in_altegios_zone(
    altegio: Sandbox, billing: Billing, connection: Connection, work: Work, settings: Settings
) -> None:
    settings.ALTEGIO_TIME_ZONE = "Europe/Moscow"
    billing.pay()
    work()
    body = altegio.requests("payment")[0].body
    assert (body["payment_date"], body["period_to"]) == ("2026-01-01 14:00:00", "2026-02-01 02:59:59")


@pytest.mark.parametrize(
    "fault",
    ["drop_before", "drop_after", "html_after", "broken_json_after", "redirect_after", "error_after", "error"],
)
def test_a_payment_stands_at_altegio_once_after_an_uncertain_end(
    altegio: Sandbox, billing: Billing, connection: Connection, work: Work, fault: str
) -> None:
    altegio.fault(fault, "payment")
    payment = billing.pay()
    work()
    assert [remote.id for remote in held(altegio)] == [billing.payment(payment)["altegio_payment_id"]]


def test_two_equal_real_payments_are_two(
    altegio: Sandbox, billing: Billing, connection: Connection, work: Work
) -> None:
    billing.pay()
    work()
    altegio.fault("drop_before", "payment")
    second = billing.pay()
    work()
    assert len(held(altegio)) == 2
    assert billing.payment(second)["altegio_payment_id"] == held(altegio)[1].id


def test_two_equal_payments_whose_answers_are_both_lost_are_two(
    altegio: Sandbox, billing: Billing, connection: Connection, work: Work
) -> None:
    altegio.fault("drop_after", "payment", remaining=2)
    payments = [billing.pay(), billing.pay()]
    work()
    ids = [billing.payment(payment)["altegio_payment_id"] for payment in payments]
    assert sorted(ids) == [remote.id for remote in held(altegio)]


def test_a_yes_without_the_id_is_asked_about(
    altegio: Sandbox, billing: Billing, connection: Connection, work: Work
) -> None:
    altegio.fault("error_after", "payment", status=200, body={"success": True})
    payment = billing.pay()
    work()
    assert billing.payment(payment)["altegio_payment_id"] == held(altegio)[0].id


@pytest.mark.parametrize("fault", ["delay", "gateway_timeout"])
def test_a_payment_that_altegio_still_processes_is_not_sent_again(
    altegio: Sandbox,
    billing: Billing,
    connection: Connection,
    work: Work,
    settings: Settings,
    fault: str,
) -> None:
    settings.ALTEGIO_TIMEOUT_SECONDS, settings.ALTEGIO_SETTLING_SECONDS = 0.2, 20
    altegio.fault(fault, "payment", seconds=1.0)
    payment = billing.pay()
    work(rounds=3)
    assert len(altegio.requests("payment")) == 1, "asked, not there yet, and not believed"
    call = OutgoingCall.objects.get(kind="report_payment")
    assert call.state == "unconfirmed"
    _until(lambda: held(altegio))
    work()
    assert billing.payment(payment)["status"] == "reported"
    assert len(altegio.requests("payment")) == 1


@pytest.mark.parametrize("fault", ["drop_before", "error"])
def test_a_payment_missing_after_altegio_has_settled_is_sent_again(
    altegio: Sandbox,
    billing: Billing,
    connection: Connection,
    work: Work,
    settings: Settings,
    time_machine: TimeMachineFixture,
    fault: str,
) -> None:
    settings.ALTEGIO_SETTLING_SECONDS = 20
    altegio.fault(fault, "payment", status=502)
    payment = billing.pay()
    work(rounds=3)
    assert len(altegio.requests("payment")) == 1
    time_machine.move_to(timezone.now() + timedelta(seconds=21))
    work()
    assert len(held(altegio)) == 1
    assert billing.payment(payment)["status"] == "reported"


def test_a_payment_that_altegio_still_processes_delays_no_other(
    altegio: Sandbox,
    billing: Billing,
    connect: Callable[..., Connection],
    work: Work,
    settings: Settings,
) -> None:
    settings.ALTEGIO_SETTLING_SECONDS = 20
    salons = [connect(salon).location.altegio_id for salon in (SALON, 10102)]
    altegio.fault("drop_before", "payment", remaining=2)
    numbers = []
    for salon in salons:
        long_ago = timezone.now() - timedelta(minutes=1)
        Attempt.objects.update(started_at=long_ago, finished_at=long_ago)
        numbers.append(billing.pay(salon_id=salon))
        work(rounds=1)
    for _ in range(2):
        OutgoingCall.objects.filter(params={"payment": numbers[0]}).update(due_at=timezone.now())
        work(rounds=1)
    assert [billing.payment(number)["status"] for number in numbers] == ["reported", "queued"]


def _until(there: Any) -> None:
    ends_at = time.monotonic() + 5
    while not there():
        assert time.monotonic() < ends_at
        time.sleep(0.02)


def test_a_payment_in_the_repeated_hour_of_a_clock_change_is_recognised(
    altegio: Sandbox, billing: Billing, connection: Connection, work: Work, settings: Settings
) -> None:
    settings.ALTEGIO_TIME_ZONE = "Europe/London"
    altegio.fault("drop_after", "payment")
    billing.pay(paid_at="2026-10-25T01:30:00Z")
    work()
    assert len(held(altegio)) == 1


def test_a_payment_waits_for_the_activation_before_it(
    altegio: Sandbox, billing: Billing, connect: Callable[..., Connection], work: Work
) -> None:
    connect(activate=False)
    payment = billing.pay()
    altegio.fault("drop_before", "activate", remaining=2)
    work()
    assert billing.payment(payment)["status"] == "reported"
    calls = [request.call for request in altegio.requests() if request.processed]
    assert calls.index("activate") < calls.index("payment")


def test_a_payment_reactivates_a_frozen_connection(
    altegio: Sandbox, billing: Billing, connection: Connection, work: Work
) -> None:
    altegio.freeze(SALON)
    Connection.objects.update(state="frozen")
    billing.pay()
    work()
    assert altegio.status_of(SALON) is Status.ACTIVE
    assert Connection.objects.get().state == "active"


def test_a_refusal_ends_as_failed_with_the_reason(
    altegio: Sandbox, billing: Billing, connection: Connection, work: Work
) -> None:
    altegio.fault("error", "payment", status=422, body={"success": False, "meta": {"message": "Wrong period"}})
    payment = billing.pay()
    work()
    shown = billing.payment(payment)
    assert (shown["status"], shown["error"]) == ("failed", "Wrong period")


def test_a_failed_payment_is_corrected_and_sent_again_after_asking(
    altegio: Sandbox, billing: Billing, connection: Connection, work: Work
) -> None:
    altegio.fault("error_after", "payment", status=422, body={"success": False, "meta": {"message": "Wrong"}})
    first = billing.pay()
    work()
    send_again(first, read_payment({"external_id": "bill-1", **JANUARY}), source=Source.ADMIN)
    work()
    assert billing.payment(first)["status"] == "reported"
    assert len(held(altegio)) == 1, "Altegio had taken it, whatever it said"

    altegio.fault("error", "payment", status=422, body={"success": False, "meta": {"message": "Too much"}})
    second = billing.pay(amount="9909.90")
    work()
    send_again(second, read_payment({"external_id": "bill-2", **JANUARY, "amount": "99.10"}), source=Source.ADMIN)
    work()
    assert billing.payment(second)["amount"] == "99.10"
    assert held(altegio)[1].payment_sum == Decimal("99.10")


def test_a_payment_waiting_for_an_ended_connection_fails(
    altegio: Sandbox, billing: Billing, connection: Connection, work: Work
) -> None:
    altegio.uninstall(SALON)
    payment = billing.pay()
    OutgoingCall.objects.filter(kind="report_payment").update(due_at="2030-01-01T00:00:00Z")
    ask_status(connection)
    work(rounds=1)
    assert billing.payment(payment)["status"] == "failed"
    assert "disconnected" in billing.payment(payment)["error"]
    assert altegio.requests("payment") == []


@pytest.mark.parametrize(("gone_answer", "status"), [("empty", "reported"), ("404", "failed")])
def test_an_unconfirmed_payment_is_asked_about_when_the_connection_ends(
    altegio: Sandbox,
    billing: Billing,
    connection: Connection,
    work: Work,
    gone_answer: str,
    status: str,
) -> None:
    altegio.configure(gone_answer=gone_answer)
    altegio.fault("drop_after", "payment")
    payment = billing.pay()
    work(rounds=1)
    altegio.uninstall(SALON)
    ask_status(connection)
    work()
    assert billing.payment(payment)["status"] == status
    assert len(altegio.requests("payment")) == 1


def test_paid_until_is_the_end_of_the_latest_reported_period(
    altegio: Sandbox, billing: Billing, connection: Connection, work: Work
) -> None:
    path = f"connections/{connection.pk}/"
    assert billing.get(path).json()["paid_until"] is None
    billing.pay()
    assert billing.get(path).json()["paid_until"] is None, "queued is not reported"
    work()
    assert billing.get(path).json()["paid_until"] == "2026-01-31T23:59:59Z"


def test_the_alert_about_a_waiting_payment_ends_when_it_is_refunded_unsent(
    altegio: Sandbox, billing: Billing, connection: Connection, work: Work
) -> None:
    payment = billing.report().json()["id"]
    call = OutgoingCall.objects.get(kind="report_payment")
    tell_of_struggling_call(call, "Bad gateway")
    assert Alert.objects.filter(cleared_at=None).exists()
    billing.refund(payment)
    work()
    assert not Alert.objects.filter(cleared_at=None).exists()


def test_a_payment_that_waits_for_an_hour_alerts_staff_until_it_is_accepted(
    altegio: Sandbox, billing: Billing, connection: Connection, work: Work
) -> None:
    bad_gateway = {"status": 502, "body": {"success": False, "meta": {"message": "Bad gateway"}}}
    altegio.fault("error", "*", remaining=None, **bad_gateway)
    payment = billing.report().json()["id"]
    work(rounds=2)
    alerts = Alert.objects.filter(cleared_at=None, connection=connection)
    assert not alerts.exists(), "a moment without Altegio is nobody's business"

    Attempt.objects.update(started_at=timezone.now() - timedelta(minutes=61))
    work(rounds=2)
    assert "Payment: Altegio has given no clear answer for an hour" in alerts.get().text
    shown = billing.payment(payment)
    assert shown["status"] == "queued"
    assert "Bad gateway" in shown["error"]

    altegio.clear_faults()
    work()
    assert not alerts.exists()
    shown = billing.payment(payment)
    assert (shown["status"], shown["error"]) == ("reported", "")
