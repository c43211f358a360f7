"""The payment form opened from a case fills in what staff would otherwise look up and type."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.dateparse import parse_datetime

from accounts.models import User
from billing.suggested_payment import suggested_payment
from integrations.connections.models import Connection
from tests.billing.conftest import JANUARY, SALON, Billing

pytestmark = pytest.mark.django_db


def test_the_first_period_begins_where_the_trial_ends(connection: Connection) -> None:
    suggested = suggested_payment(str(SALON), "1")
    connection.refresh_from_db()
    assert connection.next_payment_at is not None
    assert timedelta() < suggested["period_from"] - connection.next_payment_at <= timedelta(seconds=1)
    assert suggested["period_to"] - suggested["period_from"] == timedelta(days=30)
    assert "amount" not in suggested


def test_the_next_period_repeats_the_last_and_follows_it(billing: Billing, connection: Connection) -> None:
    billing.pay(external_id="bill")
    suggested = suggested_payment(str(SALON), "1")
    ends_at = parse_datetime(str(JANUARY["period_to"]))
    assert ends_at is not None
    assert (suggested["amount"], suggested["currency"]) == ("990.99", "EUR")
    assert suggested["period_from"] > ends_at


@pytest.mark.parametrize(
    ("salon", "application"), [("", ""), ("x", "1"), ("²", "1"), ("99999", "1"), ("9" * 40, "1")]
)
def test_nothing_is_suggested_for_an_unconnected_location(
    connection: Connection, salon: str, application: str
) -> None:
    assert suggested_payment(salon, application) == {}


def test_the_suggestion_can_be_saved_and_leads_back(connection: Connection) -> None:
    staff = Client()
    staff.force_login(User.objects.create_superuser("anna@partner.example"))
    case = reverse("admin:connections_connection_change", args=[connection.pk])
    address = f"{reverse('admin:billing_payment_add')}?salon_id={SALON}&application_id=1&back={case}"
    form = staff.get(address).context["adminform"].form
    values = {"salon_id": str(SALON), "application_id": "1", "amount": "29.00", "currency": "EUR", "external_id": ""}
    for name in ("paid_at", "period_from", "period_to"):
        at = form.initial[name]
        values |= {f"{name}_0": f"{at:%Y-%m-%d}", f"{name}_1": f"{at:%H:%M:%S}"}
    assert staff.post(address, values)["Location"] == case
    assert connection.payments.get().period_from == form.initial["period_from"]
