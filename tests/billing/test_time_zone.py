"""A payment whose answer was lost is recognised by what was sent, though Altegio's zone was put right since."""

from datetime import datetime

import pytest
from pytest_django.fixtures import Settings

from billing.collected import take_collected_payment
from billing.models import Payment
from integrations.connections.models import Connection
from sandbox import Sandbox
from tests.billing.collecting import COLLECTED
from tests.billing.conftest import JANUARY, SALON, Billing
from tests.not_none import not_none
from tests.working import Work

pytestmark = pytest.mark.django_db
KYIV = "Europe/Kyiv"


def held(altegio: Sandbox) -> list[str]:
    return [str(payment.payment_sum) for payment in not_none(altegio.connection(SALON)).payments]


@pytest.fixture
def lost(altegio: Sandbox, billing: Billing, connection: Connection, work: Work) -> int:
    altegio.fault("drop_after", "payment")
    payment = billing.pay(external_id="bill")
    work(rounds=1)
    return payment


def test_a_payment_sent_in_the_former_zone_is_not_sent_again(
    altegio: Sandbox, billing: Billing, lost: int, work: Work, settings: Settings
) -> None:
    settings.ALTEGIO_TIME_ZONE = KYIV
    work()
    shown = billing.payment(lost)
    assert (shown["status"], shown["error"], held(altegio)) == ("reported", "", ["990.99"])
    assert Payment.objects.get().paid_at == datetime.fromisoformat(str(JANUARY["paid_at"]))


def test_a_retry_recognises_what_an_earlier_round_sent_in_the_former_zone(
    altegio: Sandbox, billing: Billing, lost: int, work: Work, settings: Settings
) -> None:
    altegio.fault("error", "status", status=404)
    work()
    settings.ALTEGIO_TIME_ZONE = KYIV
    billing.post(f"payments/{lost}/retry/")
    work()
    shown = billing.payment(lost)
    assert (shown["status"], shown["error"], held(altegio)) == ("reported", "", ["990.99"])


def test_what_was_sent_before_a_correction_in_the_former_zone_is_taken_back(
    altegio: Sandbox, billing: Billing, lost: int, work: Work, settings: Settings
) -> None:
    altegio.fault("error", "status", status=404)
    work()
    settings.ALTEGIO_TIME_ZONE = KYIV
    billing.report(external_id="bill", amount="500.00")
    work()
    shown = billing.payment(lost)
    assert (shown["amount"], "the correction was not sent" in shown["error"]) == ("990.99", True)
    assert held(altegio) == ["990.99"]


def test_a_callback_about_a_payment_sent_in_the_former_zone_is_recognised(
    lost: int, connection: Connection, settings: Settings
) -> None:
    settings.ALTEGIO_TIME_ZONE = KYIV
    take_collected_payment({**COLLECTED, "payment_id": 1001, "amount": "990.99"}, connection)
    assert Payment.objects.get().pk == lost


def test_a_payment_that_differs_in_the_present_zone_and_from_what_was_sent_is_another(
    altegio: Sandbox, billing: Billing, connection: Connection, work: Work, settings: Settings
) -> None:
    altegio.fault("drop_before", "payment")
    payment = billing.pay()
    altegio.pay(SALON)
    work(rounds=1)
    settings.ALTEGIO_TIME_ZONE = KYIV
    work()
    assert (billing.payment(payment)["status"], len(held(altegio))) == ("reported", 2)
