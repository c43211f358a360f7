"""Tariffs, payment links and discounts of what Altegio sells are fetched, offered and sent."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import User
from billing.models import Discount, PaymentLink, TariffOption
from billing.offers import NotOfferedError, ask_for_link, fetch_tariffs, give_discount
from integrations.altegio.answers import Answer
from integrations.altegio.requests import ApiRequest
from integrations.connections.models import Application, Connection
from integrations.contract_drift.models import Drift
from integrations.outbox import executor
from integrations.outbox.models import KnownHost, OutgoingCall
from partner_portal.core.watch import heal_stranded
from sandbox import Sandbox
from tests.not_none import not_none
from tests.working import Work

from .conftest import SALON

pytestmark = pytest.mark.django_db


@pytest.fixture
def option(connection: Connection, work: Work) -> TariffOption:
    fetch_tariffs(connection.application)
    work()
    return TariffOption.objects.order_by("pk")[0]


def test_the_tariffs_are_fetched_and_those_gone_are_dropped(
    altegio: Sandbox, connection: Connection, option: TariffOption, work: Work
) -> None:
    assert option.price is not None
    TariffOption.objects.create(application=connection.application, altegio_id=999)
    fetch_tariffs(connection.application)
    work()
    assert not TariffOption.objects.filter(altegio_id=999).exists()


@pytest.mark.parametrize("answer", [{"status": 404}, {"status": 405}, {"status": 404, "body": "<h1>Not found</h1>"}])
def test_a_404_does_not_prove_that_there_are_no_tariffs(
    altegio: Sandbox, connection: Connection, option: TariffOption, work: Work, answer: dict[str, Any]
) -> None:
    altegio.fault("error", "tariffs", remaining=None, **answer)
    fetch_tariffs(connection.application)
    work()
    assert TariffOption.objects.exists()
    assert OutgoingCall.objects.latest("pk").state == "refused"


@pytest.mark.parametrize("body", [{"success": True}, {"success": True, "data": {"1": {"options": []}}}])
def test_an_answer_without_a_list_takes_no_tariff_away(
    altegio: Sandbox, connection: Connection, option: TariffOption, work: Work, body: dict[str, Any]
) -> None:
    ask_for_link(connection, option)
    work()
    altegio.fault("error", "tariffs", status=200, body=body)
    fetch_tariffs(connection.application)
    work()
    assert OutgoingCall.objects.latest("pk").state == "done"
    assert TariffOption.objects.filter(pk=option.pk).exists()
    assert PaymentLink.objects.exists()
    assert Drift.objects.filter(subject__contains="tariffs").exists()


def test_the_other_host_is_tried_once_and_remembered(
    altegio: Sandbox, connection: Connection, option: TariffOption, work: Work
) -> None:
    altegio.configure(marketplace_host="api")
    altegio.clear_requests()
    give_discount(connection, Decimal(10))
    work()
    give_discount(connection, Decimal(20))
    work()
    path = "/marketplace/application/add_discount"
    assert [each.path for each in altegio.requests()] == [path, f"/api/v1{path}", f"/api/v1{path}"]
    assert not_none(altegio.connection(SALON)).discount == 20


def test_a_host_found_by_another_call_meanwhile_is_tried(
    altegio: Sandbox,
    connection: Connection,
    option: TariffOption,
    work: Work,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    altegio.configure(marketplace_host="api")
    altegio.clear_requests()
    send = executor.send

    def another_is_faster(request: ApiRequest) -> Answer:
        answer = send(request)
        KnownHost.objects.update_or_create(kind="give_discount", defaults={"host": "api"})
        return answer

    monkeypatch.setattr(executor, "send", another_is_faster)
    give_discount(connection, Decimal(10))
    work()
    path = "/marketplace/application/add_discount"
    assert [each.path for each in altegio.requests()] == [path, f"/api/v1{path}"]
    assert not_none(altegio.connection(SALON)).discount == 10


def test_the_last_working_host_is_given_up_when_it_stops_working(
    altegio: Sandbox, connection: Connection, option: TariffOption, work: Work
) -> None:
    KnownHost.objects.create(kind="fetch_tariffs", host="api")
    fetch_tariffs(connection.application)
    work()
    assert KnownHost.objects.get().host == "app"
    assert OutgoingCall.objects.latest("pk").state == "done"


def test_the_other_fields_of_an_option_are_kept_and_shown(
    client: Client, altegio: Sandbox, connection: Connection, work: Work
) -> None:
    altegio.world.application(1).tariffs[0].options[1].staff_amount = 5
    fetch_tariffs(connection.application)
    work()
    option = TariffOption.objects.get(months=12)
    assert (option.free_months, option.staff_amount) == (2, 5)
    client.force_login(not_none(connection.owner))
    page = client.get("/account/billing/").content.decode()
    assert "free months: 2 · staff members: 5" in page


def test_the_owner_asks_for_a_link_and_sees_it(
    client: Client, altegio: Sandbox, connection: Connection, option: TariffOption, work: Work
) -> None:
    client.force_login(not_none(connection.owner))
    answer = client.post(f"/account/billing/link/{connection.pk}/{option.pk}/")
    assert answer.status_code == 302
    assert "on its way" in client.get("/account/billing/").content.decode()
    work()
    link = PaymentLink.objects.get()
    assert link.url.startswith(altegio.app_url)
    assert "Pay at Altegio" in client.get("/account/billing/").content.decode()


def test_nobody_asks_for_anothers_link(client: Client, connection: Connection, option: TariffOption) -> None:
    client.force_login(User.objects.create_user("other@example.com"))
    assert client.post(f"/account/billing/link/{connection.pk}/{option.pk}/").status_code == 404


def test_a_link_with_a_discount(connection: Connection, option: TariffOption, work: Work) -> None:
    ask_for_link(connection, option, discount=Decimal("15.50"))
    work()
    assert "discount=15.5" in PaymentLink.objects.get().url


def test_a_refused_link_says_why(altegio: Sandbox, connection: Connection, option: TariffOption, work: Work) -> None:
    altegio.fault("error", "payment_link", status=404, body={"success": False, "meta": {"message": "No tariff"}})
    ask_for_link(connection, option)
    work()
    assert (PaymentLink.objects.get().state, PaymentLink.objects.get().error) == ("failed", "No tariff")


@pytest.mark.leaves_stranded("a link is asked for again, and not fetched")
def test_only_an_unfetched_link_that_is_no_longer_offered_fails(connection: Connection, option: TariffOption) -> None:
    of_another = TariffOption.objects.create(application=Application.objects.create(altegio_id=7), altegio_id=1)
    offered, not_offered = (
        PaymentLink.objects.create(connection=connection, option=each) for each in (option, of_another)
    )
    heal_stranded()
    offered.refresh_from_db()
    not_offered.refresh_from_db()
    assert (offered.state, not_offered.state) == ("queued", "failed")


def test_the_newest_discount_counts(altegio: Sandbox, connection: Connection, work: Work) -> None:
    give_discount(connection, Decimal(10))
    give_discount(connection, Decimal("15.55"))
    work()
    assert not_none(altegio.connection(SALON)).discount == Decimal("15.55")
    assert Discount.objects.get().state == "synced"


@pytest.mark.leaves_stranded("a call is being sent")
def test_a_discount_waits_for_the_one_before_it(altegio: Sandbox, connection: Connection, work: Work) -> None:
    give_discount(connection, Decimal(10))
    lease = {"lease": uuid4(), "lease_until": timezone.now() + timedelta(seconds=30)}
    OutgoingCall.objects.filter(kind="give_discount").update(state="sending", **lease)
    give_discount(connection, Decimal(20))
    work(rounds=1)

    assert altegio.requests("discount") == []
    OutgoingCall.objects.filter(state="sending").update(state="done")
    work()
    assert not_none(altegio.connection(SALON)).discount == 20


@pytest.mark.leaves_stranded("a discount rests")
def test_a_discount_follows_one_that_a_gateway_gave_up_on(
    altegio: Sandbox, connection: Connection, work: Work, settings: Settings
) -> None:
    settings.ALTEGIO_SETTLING_SECONDS = 20
    altegio.fault("gateway_timeout", "discount", seconds=0.3)
    give_discount(connection, Decimal(10))
    work(rounds=1)
    give_discount(connection, Decimal(20))
    work(rounds=1)

    assert OutgoingCall.objects.get(kind="give_discount").due_at > timezone.now() + timedelta(seconds=15)
    assert len(altegio.requests("discount")) == 1


def test_a_refused_discount_says_why(altegio: Sandbox, connection: Connection, work: Work) -> None:
    altegio.fault("error", "discount", status=422, body={"success": False, "meta": {"message": "Too much"}})
    give_discount(connection, Decimal(10))
    work()
    assert (Discount.objects.get().state, Discount.objects.get().error) == ("failed", "Too much")


def test_a_discount_is_a_percentage_for_a_connected_location(connection: Connection) -> None:
    with pytest.raises(NotOfferedError):
        give_discount(connection, Decimal(101))
    connection.state = "uninstalled"
    with pytest.raises(NotOfferedError):
        give_discount(connection, Decimal(10))
