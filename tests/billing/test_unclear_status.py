"""A status answer that does not show all payments is no proof that one has not arrived, or is not refunded."""

from typing import Any

import pytest

from integrations.connections.models import Connection
from sandbox import Sandbox
from tests.billing.conftest import SALON, Billing
from tests.not_none import not_none
from tests.working import Work

pytestmark = pytest.mark.django_db
ACTIVE = {"connection_status": {"status": "active", "created_at": "2026-01-01 00:00:00"}}
UNCLEAR = [{}, {"payments": None}, {"payments": {"error": "later"}}, {"payments": [{"id": "1-001"}]}]


def shows(altegio: Sandbox, data: Any) -> None:
    altegio.fault("error", "status", remaining=None, status=200, body={"success": True, "data": data})


def held(altegio: Sandbox) -> list[bool]:
    """Return for each payment at Altegio whether it is refunded."""
    return [payment.is_refunded for payment in not_none(altegio.connection(SALON)).payments]


@pytest.fixture
def lost(altegio: Sandbox, billing: Billing, connection: Connection, work: Work) -> int:
    """Return a payment that Altegio holds, and whose answer was lost."""
    altegio.fault("drop_after", "payment")
    payment = billing.pay()
    work(rounds=1)
    return payment


@pytest.mark.parametrize("unclear", UNCLEAR)
def test_a_payment_waits_until_altegio_shows_what_it_holds(
    altegio: Sandbox, billing: Billing, lost: int, work: Work, unclear: dict[str, Any]
) -> None:
    shows(altegio, ACTIVE | unclear)
    work(rounds=3)
    assert (billing.payment(lost)["status"], held(altegio)) == ("queued", [False])
    altegio.clear_faults()
    work()
    assert (billing.payment(lost)["status"], held(altegio)) == ("reported", [False])


def test_payments_in_an_object_are_recognised(altegio: Sandbox, billing: Billing, lost: int, work: Work) -> None:
    (payment,) = not_none(altegio.connection(SALON)).payments
    names = ("payment_date", "period_from", "period_to")
    entry = {name: f"{getattr(payment, name):%Y-%m-%d %H:%M:%S}" for name in names}
    shows(altegio, ACTIVE | {"payments": {"1": {"id": payment.id, "payment_sum": "990.99", **entry}}})
    work()
    assert (billing.payment(lost)["status"], held(altegio)) == ("reported", [False])


@pytest.mark.parametrize("data", [[], {"connection_status": None}])
def test_a_payment_whose_refund_is_asked_for_is_not_cancelled_on_an_empty_answer(
    altegio: Sandbox, billing: Billing, lost: int, work: Work, data: Any
) -> None:
    assert billing.refund(lost).json()["status"] == "refund_queued"
    shows(altegio, data)
    work()
    shown = billing.payment(lost)
    assert (shown["status"], "cannot be known now" in shown["error"]) == ("failed", True)
    altegio.clear_faults()
    billing.post(f"payments/{lost}/retry/")
    work()
    assert (billing.payment(lost)["status"], held(altegio)) == ("refunded", [True])


def test_a_payment_of_which_nothing_was_sent_goes_out_whatever_altegio_shows(
    altegio: Sandbox, billing: Billing, connection: Connection, work: Work
) -> None:
    altegio.fault("error", "payment", remaining=9, status=422, body={"success": False})
    payment = billing.pay()
    work()
    altegio.clear_faults()
    shows(altegio, ACTIVE)
    billing.post(f"payments/{payment}/retry/")
    work(rounds=3)
    assert (billing.payment(payment)["status"], held(altegio)) == ("reported", [False])


@pytest.fixture
def refund_lost(altegio: Sandbox, billing: Billing, connection: Connection, work: Work) -> int:
    """Return a payment whose refund Altegio made without an answer, and refuses now."""
    payment = billing.pay()
    work()
    altegio.fault("drop_after", "refund")
    shows(altegio, ACTIVE)
    billing.refund(payment)
    work(rounds=1)
    return payment


@pytest.mark.parametrize("unclear", UNCLEAR)
def test_a_refund_waits_until_altegio_shows_what_it_holds(
    altegio: Sandbox, billing: Billing, refund_lost: int, work: Work, unclear: dict[str, Any]
) -> None:
    altegio.clear_faults()
    shows(altegio, ACTIVE | unclear)
    work(rounds=4)
    assert billing.payment(refund_lost)["status"] == "refund_queued"
    altegio.clear_faults()
    work()
    assert (billing.payment(refund_lost)["status"], held(altegio)) == ("refunded", [True])


def test_a_refund_is_in_doubt_where_altegio_shows_neither_connection_nor_payments(
    altegio: Sandbox, billing: Billing, refund_lost: int, work: Work
) -> None:
    altegio.clear_faults()
    shows(altegio, [])
    work()
    shown = billing.payment(refund_lost)
    assert (shown["status"], "may have made it" in shown["error"]) == ("reported", True)
