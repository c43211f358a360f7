"""Tariffs, payment links and discounts of what Altegio itself sells."""

import pytest

from accounts.models import User
from billing.models import Discount, PaymentLink, TariffOption
from billing.offers import NotOfferedError, ask_for_link, fetch_tariffs, give_discount

from .conftest import SALON

pytestmark = pytest.mark.django_db


@pytest.fixture
def option(connection, work) -> TariffOption:
    fetch_tariffs(connection.application)
    work()
    return TariffOption.objects.order_by("pk")[0]


def test_the_tariffs_are_fetched_and_those_gone_are_dropped(altegio, connection, option, work):
    assert option.price is not None
    TariffOption.objects.create(application=connection.application, altegio_id=999)
    fetch_tariffs(connection.application)
    work()
    assert not TariffOption.objects.filter(altegio_id=999).exists()
    altegio.fault("error", "tariffs", status=404)
    fetch_tariffs(connection.application)
    work()
    assert not TariffOption.objects.exists()


def test_the_owner_asks_for_a_link_and_sees_it(client, altegio, connection, option, work):
    client.force_login(connection.owner)
    answer = client.post(f"/account/billing/link/{connection.pk}/{option.pk}/")
    assert answer.status_code == 302
    assert "on its way" in client.get("/account/billing/").content.decode()
    work()
    link = PaymentLink.objects.get()
    assert link.url.startswith(altegio.app_url)
    assert "Pay at Altegio" in client.get("/account/billing/").content.decode()


def test_nobody_asks_for_anothers_link(client, connection, option):
    client.force_login(User.objects.create_user("other@example.com"))
    assert client.post(f"/account/billing/link/{connection.pk}/{option.pk}/").status_code == 404


def test_a_link_with_a_discount(connection, option, work):
    ask_for_link(connection, option, discount=15)
    work()
    assert "discount=15" in PaymentLink.objects.get().url


def test_a_refused_link_says_why(altegio, connection, option, work):
    altegio.fault("error", "payment_link", status=404, body={"success": False, "meta": {"message": "No tariff"}})
    ask_for_link(connection, option)
    work()
    assert (PaymentLink.objects.get().state, PaymentLink.objects.get().error) == ("failed", "No tariff")


def test_the_newest_discount_counts(altegio, connection, work):
    give_discount(connection, 10)
    give_discount(connection, 25)
    work()
    assert altegio.connection(SALON).discount == 25
    assert Discount.objects.get().state == "synced"


def test_a_discount_is_a_percentage_for_a_connected_location(connection):
    with pytest.raises(NotOfferedError):
        give_discount(connection, 101)
    connection.state = "uninstalled"
    with pytest.raises(NotOfferedError):
        give_discount(connection, 10)
