"""Changes of a payment are published to the partner's systems as the API shows it."""

import json
from typing import Any

import pytest

from billing.collected import take_collected_payment
from integrations.connections.models import Connection
from integrations.partner_events.models import PartnerEvent
from sandbox import Sandbox
from tests.billing.collecting import COLLECTED
from tests.billing.conftest import Billing
from tests.working import Work

pytestmark = pytest.mark.django_db


def published() -> list[tuple[str, dict[str, Any]]]:
    """Return the events about payments: their types and the payments in them."""
    events = PartnerEvent.objects.filter(type__startswith="payment.").order_by("pk")
    return [(event.type, json.loads(event.body)["data"]["payment"]) for event in events]


def test_an_accepted_payment_is_published(billing: Billing, connection: Connection, work: Work) -> None:
    number = billing.report().json()["id"]
    assert published() == []
    work()

    [(kind, payment)] = published()
    assert (kind, payment["status"]) == ("payment.reported", "reported")
    shown = billing.get(f"payments/{number}/").json()
    assert {**payment, "updated_at": ""} == {**shown, "updated_at": ""}


def test_a_refused_payment_is_published(
    altegio: Sandbox, billing: Billing, connection: Connection, work: Work
) -> None:
    altegio.fault("error", "payment", status=422)
    billing.report()
    work()

    [(kind, payment)] = published()
    assert (kind, payment["status"]) == ("payment.failed", "failed")
    assert payment["error"]


def test_a_refund_is_published(billing: Billing, connection: Connection, work: Work) -> None:
    number = billing.report().json()["id"]
    work()
    billing.post(f"payments/{number}/refund/")
    work()

    assert [kind for kind, _payment in published()] == ["payment.reported", "payment.refunded"]


def test_a_refused_refund_is_published_with_the_reason(
    altegio: Sandbox, billing: Billing, connection: Connection, work: Work
) -> None:
    number = billing.report().json()["id"]
    work()
    altegio.fault("error", "refund", status=403)
    billing.post(f"payments/{number}/refund/")
    work()

    kind, payment = published()[-1]
    assert (kind, payment["status"]) == ("payment.reported", "reported")
    assert "refused the refund" in payment["error"]


def test_a_payment_that_altegio_collected_is_published_once(connection: Connection, work: Work) -> None:
    take_collected_payment(COLLECTED, connection)
    take_collected_payment(COLLECTED, connection)
    work()

    assert [kind for kind, _payment in published()] == ["payment.collected"]


def test_other_writes_publish_nothing(billing: Billing, connection: Connection, work: Work) -> None:
    billing.report()
    work()
    PartnerEvent.objects.all().delete()
    connection.payments.get().save(update_fields=["error"])

    assert published() == []
