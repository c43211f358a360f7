"""Payments stand in the timeline; a payment that only one side holds is in the reconciliation's report."""

from typing import Any

import pytest
from django.test import Client

from integrations.backoffice.timeline.entries import timeline
from integrations.connections.models import Connection
from integrations.reconciliation.models import Reconciliation
from integrations.reconciliation.start import start_run
from sandbox import Sandbox
from tests.callbacks import send_callback, signed
from tests.working import Work

pytestmark = pytest.mark.django_db


def test_a_payment_at_altegio_is_reported_recorded_and_in_the_timeline(
    client: Client, altegio: Sandbox, work: Work, connection: Connection
) -> None:
    payment: dict[str, Any] = {
        "payment_id": 7,
        "amount": "990.00",
        "currency_iso": "EUR",
        "payment_date": "2026-03-01 12:00:00",
        "period_from": "2026-03-01 00:00:00",
        "period_to": "2026-03-31 23:59:59",
    }
    for _ in range(2):
        assert send_callback(client, "payment", **payment, sign=signed("990.00")).status_code == 200
    work()
    paid = [entry for entry in timeline(connection) if entry.kind == "payment"]
    assert [(entry.title, entry.detail) for entry in paid] == [("Payment of 990.00 EUR", "reported")]


def test_a_payment_that_only_altegio_holds_needs_a_person(
    altegio: Sandbox, work: Work, connection: Connection
) -> None:
    payment_id = altegio.pay(10101)
    altegio.freeze(10101)
    start_run(Reconciliation.Trigger.NIGHTLY)
    work()
    finding = Reconciliation.objects.get().findings.get(kind="difference")
    assert str(payment_id) in finding.after
    assert finding.needs_person
