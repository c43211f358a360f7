"""The owner's pages and the e-mail say how much is due, as far as it is known."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from billing.how_much import how_much
from billing.models import Payment, TariffOption
from billing.ways_to_pay import options_for
from integrations.connections.models import Application, Connection, Location

pytestmark = pytest.mark.django_db
LONG_AGO = datetime(2026, 3, 1, tzinfo=UTC)
NOT_YET = datetime(2126, 3, 1, tzinfo=UTC)


@pytest.fixture
def owner(db: None) -> User:
    return User.objects.create_user("anna@example.com", name="Anna")


@pytest.fixture
def frozen(owner: User) -> Callable[..., Connection]:
    """Return a function that makes a connection which Altegio has frozen until it is paid."""
    application = Application.objects.create(altegio_id=1, name="Beacon SMS", paid_through="altegio")

    def make(number: int = 1, due: datetime = LONG_AGO, state: str = "frozen") -> Connection:
        location = Location.objects.create(altegio_id=number)
        times = dict.fromkeys(("arrived_at", "last_arrived_at", "deadline_at", "activated_at"), LONG_AGO)
        return Connection.objects.create(
            application=application, location=location, owner=owner, state=state, next_payment_at=due, **times
        )

    return make


def paid(connection: Connection, amount: str, day: int, status: str = "reported") -> None:
    at = LONG_AGO + timedelta(days=day)
    Payment.objects.create(
        connection=connection,
        application=connection.application,
        location=connection.location,
        source="api",
        status=status,
        amount=Decimal(amount),
        currency="EUR",
        paid_at=at,
        period_from=at,
        period_to=at,
        altegio_payment_id=day,
    )


def offer(application: Application, *prices: tuple[str | None, str]) -> None:
    for number, (price, currency) in enumerate(prices):
        TariffOption.objects.create(application=application, altegio_id=number, price=price, currency=currency)


def said(*connections: Connection) -> dict[int, str]:
    return how_much(connections, options_for(connections))


@pytest.mark.parametrize("page", ["accounts:home", "billing:subscriptions"])
def test_the_owners_pages_say_what_was_paid_last(
    client: Client, owner: User, frozen: Callable[..., Connection], page: str
) -> None:
    paid(frozen(), "49", 1)
    client.force_login(owner)
    assert "Your last payment: €49.00." in client.get(reverse(page)).content.decode()


@pytest.mark.parametrize("page", ["accounts:home", "billing:subscriptions"])
def test_the_sum_paid_at_a_location_under_review_is_not_shown(
    client: Client, owner: User, frozen: Callable[..., Connection], page: str
) -> None:
    """Somebody else may have paid the shown sum."""
    paid(frozen(), "49", 1)
    Connection.objects.update(review="Altegio signed another name.")
    client.force_login(owner)
    assert "49.00" not in client.get(reverse(page)).content.decode()


def test_the_first_page_names_the_lowest_of_the_tariffs(
    client: Client, owner: User, frozen: Callable[..., Connection]
) -> None:
    offer(frozen().application, ("90", "EUR"), ("19.5", "EUR"), (None, ""))
    client.force_login(owner)
    assert "Tariffs from €19.50." in client.get(reverse("accounts:home")).content.decode()


def test_prices_in_two_currencies_are_not_compared(frozen: Callable[..., Connection]) -> None:
    connection = frozen()
    offer(connection.application, ("90", "EUR"), ("19", "USD"))
    assert said(connection) == {}


def test_the_newest_payment_that_altegio_holds_counts(frozen: Callable[..., Connection]) -> None:
    connection = frozen()
    paid(connection, "30", 2)
    paid(connection, "20", 1)
    paid(connection, "50", 3, status="failed")
    paid(connection, "60", 4, status="refunded")
    assert said(connection) == {connection.pk: "Your last payment: €30.00."}


def test_a_payment_of_another_location_does_not_count(frozen: Callable[..., Connection]) -> None:
    paid(frozen(2), "49", 1)
    assert said(frozen(1)) == {}


def test_no_sum_is_shown_or_looked_up_when_nothing_is_due(frozen: Callable[..., Connection]) -> None:
    connection = frozen(due=NOT_YET, state="active")
    paid(connection, "49", 1)
    options = options_for([connection])
    with CaptureQueriesContext(database) as queries:
        assert how_much([connection], options) == {}
    assert len(queries) == 0


def test_many_cost_as_many_queries_as_one(frozen: Callable[..., Connection]) -> None:
    connections = [frozen(number) for number in range(1, 10)]
    for number, connection in enumerate(connections):
        paid(connection, "49", number)
    with CaptureQueriesContext(database) as queries:
        assert len(how_much(connections, {})) == 9
    assert len(queries) == 1
