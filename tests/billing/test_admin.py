"""In the control room every role sees billing; finance records, corrects and refunds, once and on the record."""

import csv
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from accounts.models import User
from billing.models import Discount, Payment, PaymentLink, TariffOption
from integrations.connections.models import Connection
from sandbox import Sandbox
from tests.billing.conftest import Billing
from tests.not_none import not_none
from tests.response import Response
from tests.working import Work

from .conftest import SALON

pytestmark = pytest.mark.django_db
ENTRY = {
    "salon_id": SALON,
    "amount": "990.99",
    "currency": "EUR",
    "paid_at_0": "2026-01-01",
    "paid_at_1": "12:00:00",
    "period_from_0": "2026-01-01",
    "period_from_1": "00:00:00",
    "period_to_0": "2026-01-31",
    "period_to_1": "23:59:59",
}


@pytest.fixture
def viewer(client: Client) -> User:
    user = User.objects.create_user("staff@partner.example", is_staff=True)
    user.groups.add(Group.objects.get(name="Viewer"))
    client.force_login(user)
    return user


@pytest.fixture
def finance(viewer: User) -> User:
    viewer.groups.add(Group.objects.get(name="Finance"))
    return viewer


def confirm(client: Client, action: str, payment: int, **extra: Any) -> Response:
    return client.post("/admin/billing/payment/", {"action": action, "_selected_action": payment, **extra})


@pytest.mark.parametrize(
    "page", ["payment/", "payment/totals/", "subscription/", "subscription/?due=yes", "tariffoption/", "discount/"]
)
def test_every_role_may_look(
    client: Client, billing: Billing, connection: Connection, viewer: User, work: Work, page: str
) -> None:
    billing.pay()
    work()
    assert client.get(f"/admin/billing/{page}").status_code == 200


def test_every_role_sees_a_payment_with_its_calls(
    client: Client, billing: Billing, connection: Connection, viewer: User, work: Work
) -> None:
    payment = billing.pay()
    work()
    page = client.get(f"/admin/billing/payment/{payment}/change/").content.decode()
    assert "990.99 EUR" in page
    assert "/marketplace/partner/payment" in page
    page = client.get(f"/admin/billing/subscription/{connection.pk}/change/").content.decode()
    assert f"/admin/billing/payment/{payment}/change/" in page


def test_only_finance_records_and_refunds(
    client: Client, billing: Billing, connection: Connection, viewer: User
) -> None:
    payment = billing.pay()
    assert client.get("/admin/billing/payment/add/").status_code == 403
    confirm(client, "refund", payment, confirmed="yes")
    assert Payment.objects.get().status == "queued"
    assert client.get("/admin/billing/discount/add/").status_code == 403


def test_finance_records_a_payment(client: Client, connection: Connection, finance: User, work: Work) -> None:
    answer = client.post("/admin/billing/payment/add/", ENTRY)
    assert answer.status_code == 302
    work()
    payment = Payment.objects.get()
    assert (payment.status, payment.source, payment.recorded_by) == ("reported", "admin", finance)
    assert LogEntry.objects.get().user == finance


@pytest.mark.parametrize(
    ("field", "value"), [("amount", "1e2"), ("salon_id", "99"), ("currency", "XXX"), ("period_to_0", "2025-01-01")]
)
def test_errors_are_shown_at_their_field(
    client: Client, connection: Connection, finance: User, field: str, value: str
) -> None:
    answer = client.post("/admin/billing/payment/add/", {**ENTRY, field: value})
    assert answer.status_code == 200
    assert field.removesuffix("_0") in answer.context["adminform"].form.errors
    assert not Payment.objects.exists()


def test_an_overlap_must_be_meant(client: Client, billing: Billing, connection: Connection, finance: User) -> None:
    billing.pay()
    assert client.post("/admin/billing/payment/add/", ENTRY).status_code == 200
    assert client.post("/admin/billing/payment/add/", {**ENTRY, "allow_overlap": "on"}).status_code == 302
    assert Payment.objects.count() == 2


def test_a_refund_asks_once_and_is_logged(
    client: Client,
    altegio: Sandbox,
    billing: Billing,
    connection: Connection,
    finance: User,
    work: Work,
) -> None:
    payment = billing.pay()
    work()
    page = confirm(client, "refund", payment)
    assert "Yes, do it" in page.content.decode()
    assert Payment.objects.get().status == "reported"
    confirm(client, "refund", payment, confirmed="yes")
    work()
    assert Payment.objects.get().status == "refunded"
    assert LogEntry.objects.get().change_message == "Refund"


def test_a_failed_payment_is_corrected_and_sent_again(
    client: Client,
    altegio: Sandbox,
    billing: Billing,
    connection: Connection,
    finance: User,
    work: Work,
) -> None:
    altegio.fault("error", "payment", status=422, body={"success": False, "meta": {"message": "Too much"}})
    payment = billing.pay(amount="9909.90")
    work()
    address = f"/admin/billing/payment/{payment}/change/"
    page = client.get(address).content.decode()
    assert "Too much" in page
    assert reverse("admin:connections_connection_change", args=[connection.pk]) in page
    assert client.post(address, {**ENTRY, "amount": "990.99"}).status_code == 302
    work()
    corrected = Payment.objects.get()
    assert (corrected.status, str(corrected.exact_amount), corrected.external_id) == ("reported", "990.99", "bill-1")


def test_a_payment_that_did_not_fail_is_not_changed(
    client: Client, billing: Billing, connection: Connection, finance: User
) -> None:
    payment = billing.pay()
    assert client.post(f"/admin/billing/payment/{payment}/change/", ENTRY).status_code == 403


def test_totals_by_month_and_currency(
    client: Client, billing: Billing, connection: Connection, viewer: User, work: Work
) -> None:
    billing.pay(amount="10.00")
    billing.pay(amount="20.50")
    billing.pay(amount="1000", currency="JPY")
    work()
    billing.refund(Payment.objects.order_by("pk")[0].pk)
    work()
    page = client.get("/admin/billing/payment/totals/")
    shown = [
        (row.currency, row.count, str(row.held), str(row.refunded), str(row.net)) for row in page.context["rows"]
    ]
    assert shown == [("EUR", 2, "30.50", "10.00", "20.50"), ("JPY", 1, "1000", "0", "1000")]
    assert [str(row.waiting) for row in page.context["rows"]] == ["0.00", "0"]


def test_unreported_payments_wait_in_the_totals(
    client: Client, billing: Billing, connection: Connection, viewer: User
) -> None:
    billing.pay(amount="10.00")
    (row,) = client.get("/admin/billing/payment/totals/").context["rows"]
    assert (str(row.held), str(row.refunded), str(row.net), str(row.waiting)) == ("0.00", "0.00", "0.00", "10.00")


def test_the_export_holds_everything_that_settles_the_share(
    client: Client, billing: Billing, connection: Connection, finance: User, work: Work
) -> None:
    payment = billing.pay(external_id="=1+1")
    work()
    answer = confirm(client, "export", payment)
    rows = list(csv.DictReader(answer.getvalue().decode("utf-8-sig").splitlines()))
    assert rows[0]["net_amount"] == rows[0]["amount"] == "990.99"
    assert rows[0]["altegio_payment_id"] == str(Payment.objects.get().altegio_payment_id)
    assert rows[0]["external_id"] == "'=1+1", "no formula for a spreadsheet"


def test_the_chart_counts_subscriptions_by_their_kind(client: Client, connection: Connection, viewer: User) -> None:
    bars = client.get("/admin/billing/subscription/").context["bars"]
    assert {bar["kind"]: bar["count"] for bar in bars} == {
        "paid": 0,
        "trial": 1,
        "expiring": 0,
        "overdue": 0,
        "frozen": 0,
    }


def test_finance_gives_discounts_and_asks_for_links(
    client: Client, altegio: Sandbox, connection: Connection, finance: User, work: Work
) -> None:
    option = TariffOption.objects.create(application=connection.application, altegio_id=_option(altegio))
    given = client.post("/admin/billing/discount/add/", {"connection": connection.pk, "percent": 20})
    again = client.post("/admin/billing/discount/add/", {"connection": connection.pk, "percent": "15.55"})
    asked = {"connection": connection.pk, "option": option.pk, "discount": "2.5"}
    assert (given.status_code, again.status_code) == (302, 302)
    assert client.post("/admin/billing/paymentlink/add/", asked).status_code == 302
    work()
    assert not_none(altegio.connection(SALON)).discount == Decimal("15.55")
    assert Discount.objects.get().state == "synced"
    assert "discount=2.5" in PaymentLink.objects.get().url


def _option(altegio: Sandbox) -> int:
    return altegio.world.application(1).tariffs[0].options[0].id
