"""A payment that failed though Altegio may hold it is taken over once Altegio shows it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from billing.history import payment_differences
from billing.models import Payment
from integrations.alerts.models import Alert
from integrations.altegio.answers import read_answer, read_status
from integrations.connections.models import Connection
from integrations.status_sync.status_sync import ask_status
from sandbox import Sandbox
from tests.billing.conftest import SALON, Billing
from tests.not_none import not_none
from tests.working import Work

pytestmark = pytest.mark.django_db


def held(altegio: Sandbox) -> list[Any]:
    with altegio.world.lock:
        return not_none(altegio.world.connection(1, SALON)).payments


@pytest.fixture
def unsure(altegio: Sandbox, billing: Billing, connection: Connection, work: Work) -> int:
    """Return a payment that Altegio holds, and that failed because nobody could know it."""
    altegio.fault("drop_after", "payment")
    altegio.fault("error", "status", status=404)
    payment = billing.pay(external_id="bill")
    work()
    assert (billing.payment(payment)["status"], len(held(altegio))) == ("failed", 1)
    return payment


def test_an_unconfirmed_payment_that_altegio_shows_is_reported(
    altegio: Sandbox, billing: Billing, connection: Connection, unsure: int, work: Work
) -> None:
    ask_status(connection)
    work()
    assert (billing.payment(unsure)["status"], len(held(altegio))) == ("reported", 1)
    connection.refresh_from_db()
    assert connection.paid_until is not None
    assert not Alert.objects.open().filter(kind=Alert.Kind.CALL).exists()


def test_an_accepted_payment_that_altegio_shows_late_is_reported(
    altegio: Sandbox, billing: Billing, connection: Connection, work: Work
) -> None:
    altegio.fault("error_after", "payment", status=200, body={"success": True})
    payment = billing.pay()
    work(rounds=1)
    held(altegio)[0].period_to += timedelta(days=1)
    work()
    held(altegio)[0].period_to -= timedelta(days=1)
    ask_status(connection)
    work()
    assert (billing.payment(payment)["status"], len(held(altegio))) == ("reported", 1)


def test_an_unconfirmed_payment_whose_refund_was_asked_for_is_refunded(
    altegio: Sandbox, billing: Billing, connection: Connection, work: Work
) -> None:
    altegio.fault("drop_after", "payment")
    altegio.fault("error", "status", status=404)
    payment = billing.pay()
    work(rounds=1)
    billing.refund(payment)
    work()
    assert billing.payment(payment)["status"] == "failed"
    ask_status(connection)
    work()
    assert (billing.payment(payment)["status"], [each.is_refunded for each in held(altegio)]) == ("refunded", [True])


def test_an_unconfirmed_payment_counts_for_the_connection_that_shows_it(
    altegio: Sandbox,
    billing: Billing,
    connection: Connection,
    unsure: int,
    connect: Callable[..., Connection],
    work: Work,
) -> None:
    stored = held(altegio)[0]
    altegio.uninstall(SALON)
    ask_status(connection)
    work()
    newer = connect()
    if stored not in held(altegio):
        held(altegio).append(stored)
    ask_status(newer)
    work()
    newer.refresh_from_db()
    assert (billing.payment(unsure)["status"], len(held(altegio))) == ("reported", 1)
    assert newer.paid_until is not None


def test_an_unconfirmed_payment_that_altegio_does_not_show_stays_failed(
    altegio: Sandbox, billing: Billing, connection: Connection, unsure: int, work: Work
) -> None:
    held(altegio)[0].payment_sum += 1
    ask_status(connection)
    work()
    assert (billing.payment(unsure)["status"], Payment.objects.get().report_round) == ("failed", 1)


def test_a_refund_of_an_unconfirmed_payment_says_that_altegio_is_to_be_asked_first(
    altegio: Sandbox, billing: Billing, unsure: int, work: Work
) -> None:
    answer = billing.refund(unsure)
    assert (answer.status_code, "/retry/" in answer.json()["detail"]) == (409, True)
    billing.post(f"payments/{unsure}/retry/")
    work()
    assert billing.refund(unsure).status_code == 202
    work()
    assert [each.is_refunded for each in held(altegio)] == [True]


@pytest.mark.leaves_stranded("its state is planted without the call that goes with it")
@pytest.mark.parametrize(("status", "count"), [("queued", 0), ("refund_queued", 0), ("failed", 1), ("cancelled", 1)])
def test_only_a_payment_that_is_being_reported_explains_one_at_altegio(
    connection: Connection, unsure: int, status: str, count: int
) -> None:
    Payment.objects.update(status=status)
    text = """{"success": true, "data": {"payments": [{"id": 1001, "payment_sum": "990.99",
        "payment_date": "2026-01-01 11:00:00", "period_from": "2026-01-01 00:00:00",
        "period_to": "2026-01-31 23:59:59"}]}}"""
    shown = not_none(read_status(read_answer(200, {}, text), "UTC"))
    assert len(list(payment_differences(connection, shown))) == count


def test_money_told_anew_meanwhile_is_not_sent_twice(
    altegio: Sandbox, billing: Billing, connection: Connection, work: Work
) -> None:
    """A question may come between the sending of the second payment and the note of its answer."""
    altegio.fault("drop_before", "payment")
    altegio.fault("error", "status", status=404)
    first = billing.pay(external_id="bill")
    work()
    assert (billing.payment(first)["status"], held(altegio)) == ("failed", [])
    altegio.fault("drop_after", "payment")
    second = billing.pay(external_id="bill-2")
    work(rounds=1)
    ask_status(connection)
    work()
    assert [billing.payment(each)["status"] for each in (first, second)] == ["failed", "reported"]
    assert len(held(altegio)) == 1


def test_a_doubt_that_nothing_ends_holds_up_the_next_payment_for_hours_alone(
    altegio: Sandbox, billing: Billing, connection: Connection, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("billing.call_kinds.MAX_UNREADABLE", timedelta())
    altegio.fault("drop_after", "payment")
    unreadable = {"success": True, "data": {"connection_status": {"status": "active"}, "payments": None}}
    altegio.fault("error", "status", status=200, body=unreadable, remaining=2)
    doubted = billing.pay(external_id="bill")
    work(rounds=1)
    following = billing.pay(external_id="bill-2", amount="12.00")
    work()
    assert [billing.payment(each)["status"] for each in (doubted, following)] == ["failed", "reported"]
    assert "ask Altegio" in billing.payment(doubted)["error"]


@pytest.mark.parametrize(("amount", "count"), [("990.99", 1), ("12.00", 0)])
def test_only_a_payment_whose_sum_is_shown_is_looked_at(
    connection: Connection, unsure: int, work: Work, monkeypatch: pytest.MonkeyPatch, amount: str, count: int
) -> None:
    """An outage may leave thousands that failed, and every status answer comes by here."""
    looked_at: list[int] = []
    monkeypatch.setattr("billing.receivers.find_remote", lambda payment, _held: looked_at.append(payment.pk))
    Payment.objects.update(amount=amount)
    ask_status(connection)
    work()
    assert looked_at == [unsure] * count
