"""The payments API accepts, repeats and refuses as docs/interface.md says."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone
from django.utils.http import urlencode
from pytest_django.fixtures import DjangoAssertNumQueries

from accounts.models import ApiKey
from billing.api.payments import PaymentSerializer
from billing.intake import Overlap, payment_data, record_payment
from billing.models import Payment, Source
from billing.parsing import InvalidPaymentError
from integrations.connections.models import Connection
from integrations.outbox.models import OutgoingCall
from tests.billing.conftest import Billing
from tests.working import Work

from .conftest import JANUARY, SALON

pytestmark = pytest.mark.django_db
FEBRUARY = {"period_from": "2026-02-01T00:00:00Z", "period_to": "2026-02-28T23:59:59Z"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("external_id", ...),
        ("external_id", ""),
        ("external_id", "   "),
        ("external_id", " bill"),
        ("external_id", "bill "),
        ("external_id", "x" * 201),
        ("external_id", "a\x00b"),
        ("external_id", ["x"]),
        ("external_id", True),
        ("salon_id", ...),
        ("salon_id", 0),
        ("salon_id", -1),
        ("salon_id", "1e3"),
        ("salon_id", "١٢٣"),
        ("salon_id", 10**18),
        ("salon_id", 10199),
        ("salon_id", 10102),
        ("salon_id", True),
        ("salon_id", 10101.0),
        ("application_id", "x"),
        ("application_id", 99),
        ("application_id", 0),
        ("amount", ...),
        ("amount", None),
        ("amount", "-1"),
        ("amount", "+1"),
        ("amount", "1e2"),
        ("amount", "1,5"),
        ("amount", "1.005"),
        ("amount", "1.000"),
        ("amount", "1."),
        ("amount", ".5"),
        ("amount", " 1"),
        ("amount", "NaN"),
        ("amount", "Infinity"),
        ("amount", "1_000"),
        ("amount", "٣"),
        ("amount", "123456789012"),
        ("amount", 990.991),
        ("amount", 1e22),
        ("external_id", "a\ud83d"),
        ("external_id", 1.5),
        ("amount", True),
        ("amount", {}),
        ("currency", ...),
        ("currency", "eur"),
        ("currency", "EURO"),
        ("currency", "XXX"),
        ("currency", "ZZZ"),
        ("currency", 978),
        ("paid_at", ...),
        ("paid_at", "2026-01-01T12:00:00"),
        ("paid_at", "2026-01-01"),
        ("paid_at", "2026-02-30T12:00:00Z"),
        ("paid_at", "yesterday"),
        ("paid_at", 1767225600),
        ("paid_at", "0001-01-01T00:00:00+14:00"),
        ("paid_at", "9999-12-31T23:59:59-14:00"),
        ("paid_at", "2026-01-01T12:00:00+01:16:20"),
        ("paid_at", "2200-01-01T00:00:00Z"),
        ("period_from", ...),
        ("period_from", "2026-01-01 00:00"),
        ("period_to", ...),
        ("period_to", "2025-12-31T23:59:59Z"),
        ("period_to", []),
        ("allow_overlap", "yes"),
    ],
)
def test_a_wrong_field_is_400_and_named(billing: Billing, connection: Connection, field: str, value: Any) -> None:
    answer = billing.report(**{field: value})
    assert answer.status_code == 400
    assert list(answer.json()) == [field]
    assert not Payment.objects.exists()


@pytest.mark.parametrize(("currency", "amount"), [("JPY", "1.0"), ("EUR", "0.001"), ("KWD", "0.0001")])
def test_more_decimals_than_the_currency_has_are_refused(
    billing: Billing, connection: Connection, currency: str, amount: str
) -> None:
    assert list(billing.report(currency=currency, amount=amount).json()) == ["amount"]


@pytest.mark.parametrize("body", [[], "text", None, 1])
def test_a_body_that_is_not_an_object_is_400(billing: Billing, connection: Connection, body: Any) -> None:
    assert billing.post("payments/", body).status_code == 400


def test_every_wrong_field_is_named_at_once(billing: Billing, connection: Connection) -> None:
    answer = billing.report(amount="x", currency="y", paid_at="z")
    assert sorted(answer.json()) == ["amount", "currency", "paid_at"]


@pytest.mark.parametrize(
    ("amount", "shown"),
    [("0", "0.00"), ("0.00", "0.00"), ("5", "5.00"), (7, "7.00"), (990.99, "990.99"), (0.1, "0.10")],
)
def test_valid_amounts_are_accepted(
    billing: Billing, connection: Connection, amount: float | int | str, shown: str
) -> None:
    assert billing.report(amount=amount).json()["amount"] == shown


def test_the_same_request_again_is_the_same_payment(billing: Billing, connection: Connection) -> None:
    first = billing.report(external_id="bill")
    again = billing.report(external_id="bill", amount="990.99", paid_at="2026-01-01T11:00:00.000+00:00")
    assert (first.status_code, again.status_code) == (202, 200)
    assert again.json()["id"] == first.json()["id"]
    assert OutgoingCall.objects.filter(kind="report_payment").count() == 1


@pytest.mark.parametrize(
    "other",
    [
        {"amount": "990.98"},
        {"currency": "USD"},
        {"paid_at": "2026-01-01T12:00:01+01:00"},
        {"salon_id": 10102},
        FEBRUARY,
    ],
)
def test_the_same_id_with_other_content_is_409(
    billing: Billing, connection: Connection, other: dict[str, Any]
) -> None:
    billing.report(external_id="bill")
    assert billing.report(external_id="bill", **other).status_code == 409
    assert Payment.objects.count() == 1


def test_the_same_request_is_recognised_after_the_connection_ended(billing: Billing, connection: Connection) -> None:
    billing.report(external_id="bill")
    type(connection).objects.update(state="failed", activated_at=None)
    assert billing.report(external_id="bill").status_code == 200


def test_an_overlap_is_taken_with_a_warning(billing: Billing, connection: Connection) -> None:
    first = billing.pay()
    answer = billing.report()
    assert answer.status_code == 202
    assert f"payment {first}" in answer.json()["warnings"][0]


def test_the_caller_may_have_an_overlap_refused_or_accepted_silently(
    billing: Billing, connection: Connection
) -> None:
    billing.pay()
    assert list(billing.report(allow_overlap=False).json()) == ["period_from"]
    assert billing.report(allow_overlap=True).json()["warnings"] == []
    assert billing.report(allow_overlap=False, **FEBRUARY).status_code == 202


def test_payments_without_an_external_id_are_not_mistaken_for_each_other(
    billing: Billing, connection: Connection
) -> None:
    data = replace(payment_data(Payment.objects.get(pk=billing.pay())), external_id=None)
    record_payment(data, Source.ADMIN, overlap=Overlap.ALLOW)
    with pytest.raises(InvalidPaymentError):
        record_payment(data, Source.ADMIN, overlap=Overlap.REFUSE)


def test_a_payment_for_a_formerly_connected_location_is_accepted(billing: Billing, connection: Connection) -> None:
    type(connection).objects.update(state="uninstalled")
    assert billing.report().status_code == 202


def test_a_payment_is_found_by_its_external_id_and_listed(billing: Billing, connection: Connection) -> None:
    payment = billing.pay(external_id="bill-x")
    billing.pay(**FEBRUARY)
    assert [row["id"] for row in billing.get("payments/?external_id=bill-x").json()["results"]] == [payment]
    assert len(billing.get("payments/").json()["results"]) == 2
    assert billing.get("payments/?external_id=none").json()["results"] == []
    assert billing.get("payments/999999/").status_code == 404


def test_payments_are_narrowed_down(
    billing: Billing, connection: Connection, connect: Callable[..., Connection], work: Work
) -> None:
    first = billing.pay()
    work()
    other = connect(10301)
    since = timezone.now().isoformat()
    second = billing.pay(salon_id=10301, external_id="bill-x")

    def found(asked: Any) -> Any:
        return [row["id"] for row in billing.get(f"payments/?{asked}").json()["results"]]

    assert found("salon_id=10301") == found(f"connection={other.pk}") == found("status=queued") == [second]
    assert found("status=reported&application_id=1") == [first]
    assert found("application_id=77") == found("connection=999") == []
    assert found(urlencode({"updated_since": since})) == [second]
    work()
    billing.refund(first)
    assert found(urlencode({"updated_since": since})) == [second, first]
    assert found(urlencode({"updated_since": since, "status": "refund_queued"})) == [first]


def test_the_answer_holds_the_fields_of_the_schema(billing: Billing, connection: Connection) -> None:
    shown = billing.report().json()
    assert list(shown) == [*PaymentSerializer.Meta.fields, "warnings"]
    assert shown["paid_at"] == "2026-01-01T11:00:00Z"


def test_without_the_scope_nothing_is_accepted_or_shown(client: Client, connection: Connection) -> None:
    _key, secret = ApiKey.objects.create_key(name="reader", scopes=["read"])
    headers = {"Authorization": f"Api-Key {secret}"}
    assert client.get("/api/v1/payments/", headers=headers).status_code == 403
    assert client.post("/api/v1/payments/", JANUARY, "application/json", headers=headers).status_code == 403
    assert client.post("/api/v1/payments/1/refund/", headers=headers).status_code == 403
    assert client.get("/api/v1/payments/").status_code == 401


def test_queries_for_each_call(
    billing: Billing, connection: Connection, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """The count includes the key's query and, in a test, the savepoint that stands for the transaction."""
    with django_assert_num_queries(7):
        payment = billing.pay()
    with django_assert_num_queries(7):
        billing.report(external_id="bill-1")
    with django_assert_num_queries(2):
        billing.payment(payment)
    with django_assert_num_queries(2):
        billing.get("payments/")
    for _ in range(3):
        billing.pay()
    with django_assert_num_queries(2):
        billing.get("payments/")
    with django_assert_num_queries(10):
        billing.refund(payment)


@pytest.mark.django_db(transaction=True)
def test_many_equal_requests_at_once_are_one_payment(billing: Billing, connection: Connection) -> None:
    codes = []

    def tell() -> None:
        codes.append(billing.report(external_id="bill").status_code)
        connections.close_all()

    threads = [threading.Thread(target=tell) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [200] * 5 + [202]
    assert Payment.objects.count() == 1
    assert OutgoingCall.objects.filter(kind="report_payment").count() == 1


def test_the_connections_list_shows_paid_until_in_as_many_queries(
    billing: Billing,
    connect: Callable[..., Connection],
    work: Work,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    connect()
    billing.pay()
    work()
    with django_assert_num_queries(4):
        one = billing.get(f"connections/?salon_id={SALON}").json()["results"]
    connect(10102)
    connect(10103)
    with django_assert_num_queries(4):
        assert len(billing.get("connections/").json()["results"]) == 3
    assert one[0]["paid_until"] == "2026-01-31T23:59:59Z"


def test_different_content_is_refused_with_the_difference_and_a_way_on(
    billing: Billing, connection: Connection
) -> None:
    billing.report(external_id="twice")
    said = billing.report(external_id="twice", amount="1.00", **FEBRUARY).json()["external_id"][0]
    assert "with another amount, period_from, period_to; it is queued" in said
    assert "Refund it first" in said


def test_an_unknown_field_is_named(billing: Billing, connection: Connection) -> None:
    answer = billing.report(aplication_id=2)
    assert (answer.status_code, answer.json()["warnings"]) == (
        202,
        ["There is no field aplication_id: it was left out."],
    )


def test_a_location_of_another_application_leads_to_application_id(billing: Billing, connection: Connection) -> None:
    assert "name it in application_id" in billing.report(salon_id=10102).json()["salon_id"][0]
