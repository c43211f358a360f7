"""The owner's lists show only their own rows, in words, and as fast for a chain as for one salon."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

from accounts.models import User
from billing.models import Payment, PaymentLink, TariffOption
from integrations.connections.models import Application, Chain, Connection, Installation, Location
from integrations.outbox.models import OutgoingCall
from integrations.sender_names.models import SenderName, SenderNameList
from integrations.status_sync.disconnect import disconnect
from tests.not_none import not_none

pytestmark = pytest.mark.django_db
LISTS = ["accounts:home", "billing:subscriptions", "billing:payments", "sender_names:list", "telephony:list"]


@pytest.fixture
def anna() -> User:
    return User.objects.create_user("anna@example.com", name="Anna")


@pytest.fixture
def sms() -> Application:
    return Application.objects.create(altegio_id=1, name="Beacon SMS")


@pytest.fixture
def phones() -> Application:
    return Application.objects.create(altegio_id=2, name="Beacon Telephony", kind="telephony")


def connect(owner: User, application: Application, number: int, state: str = "active", **fields: Any) -> Connection:
    """Make a connection at location 10000 + number, called "Salon <number>"."""
    location, _ = Location.objects.get_or_create(altegio_id=10000 + number, defaults={"title": f"Salon {number}"})
    now = timezone.now()
    return Connection.objects.create(
        application=application,
        location=location,
        state=state,
        claim=f"u:{owner.pk}",
        claimant=owner,
        **{"owner": None if state in ("granted", "failed", "expired", "conflict") else owner, "reviewed_at": now}
        | {"arrived_at": now, "last_arrived_at": now, "deadline_at": now}
        | fields,
    )


def pay(connection: Connection, **fields: Any) -> Payment:
    day = datetime(2026, 3, 1, tzinfo=UTC)
    return Payment.objects.create(
        connection=connection,
        application=connection.application,
        location=connection.location,
        **{"source": "api", "status": "reported", "amount": Decimal("1990.50"), "currency": "EUR"}
        | {"paid_at": day, "period_from": day, "period_to": day + timedelta(days=30)}
        | {"altegio_payment_id": connection.pk * 1000 + Payment.objects.count()}
        | fields,
    )


@pytest.fixture
def look(client: Client, anna: User) -> Callable[..., str]:
    """Return a function that opens one of Anna's pages and returns what it says."""
    client.force_login(anna)

    def page(name: str, **query: str | int) -> str:
        answer = client.get(reverse(name), query)
        assert answer.status_code == 200
        return answer.content.decode()

    return page


def fill(owner: User, sms: Application, phones: Application, numbers: range) -> None:
    """Make locations with everything that a list shows about one."""
    option, _ = TariffOption.objects.get_or_create(application=sms, altegio_id=1, defaults={"title": "1 month"})
    for number in numbers:
        connection, chain = connect(owner, sms, number), Chain.objects.create(altegio_id=number, telephony="on")
        Location.objects.filter(pk=connection.location_id).update(chain=chain)
        connect(owner, phones, number)
        pay(connection)
        PaymentLink.objects.create(connection=connection, option=option, state="synced", url="https://x.example/")
        names = SenderNameList.objects.create(installation=Installation.at(sms, connection.location))
        SenderName.objects.create(list=names, name="AURORA", state="granted")


@pytest.mark.parametrize("name", LISTS)
def test_fifty_locations_cost_as_many_queries_as_one(
    look: Callable[..., str], anna: User, sms: Application, phones: Application, name: str
) -> None:
    fill(anna, sms, phones, range(1))
    look(name)  # what is fetched once for each process
    counts = []
    for numbers in (range(0), range(1, 50)):
        fill(anna, sms, phones, numbers)
        with CaptureQueriesContext(
            database,
        ) as queries:
            look(name)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 11


@pytest.mark.parametrize("name", ["accounts:me", "accounts:download", "lifecycle:erase"])
def test_the_page_of_own_data_takes_constant_queries(
    look: Callable[..., str], anna: User, sms: Application, phones: Application, name: str
) -> None:
    fill(anna, sms, phones, range(1))
    look(name)
    counts = []
    for numbers in (range(0), range(1, 50)):
        fill(anna, sms, phones, numbers)
        with CaptureQueriesContext(database) as queries:
            look(name)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 18


@pytest.mark.parametrize("name", LISTS)
def test_nothing_of_other_owners_is_shown(
    look: Callable[..., str], anna: User, sms: Application, phones: Application, name: str
) -> None:
    fill(User.objects.create_user("other@example.com"), sms, phones, range(1, 3))
    page = look(name)
    assert "Salon" not in page
    assert "10001" not in page
    assert "1,990" not in page


@pytest.mark.parametrize("name", ["accounts:home", "billing:subscriptions", "billing:payments", "sender_names:list"])
def test_a_long_list_has_pages_and_a_search(
    look: Callable[..., str], anna: User, sms: Application, phones: Application, name: str
) -> None:
    fill(anna, sms, phones, range(100, 160))
    assert len(set(re.findall(r"Salon \d+", look(name)))) <= 25
    found = look(name, q="salon 123")
    assert "Salon 123" in found
    assert "Salon 124" not in found
    assert "Salon 123" in look(name, q="10123")
    assert "Nothing found" in look(name, q="no such place")
    last = look(name, page="999")
    assert ('rel="prev"' in last, 'rel="next"' in last) == (True, False)


def test_locations_that_need_the_owner_stand_first(look: Callable[..., str], anna: User, sms: Application) -> None:
    connect(anna, sms, 1, "uninstalled")
    connect(anna, sms, 2, "failed")
    connect(anna, sms, 3, "active")
    page = look("accounts:home")
    assert page.index("Salon 2") < page.index("Salon 3") < page.index("Salon 1")


@pytest.mark.parametrize("state", ["uninstalled", "expired", "failed"])
def test_connecting_again_is_offered_where_it_helps(
    look: Callable[..., str], anna: User, sms: Application, state: str
) -> None:
    ended = connect(anna, sms, 1, state)
    assert ended.reconnect_url in look("accounts:home")


def test_the_newest_connection_of_a_location_counts(look: Callable[..., str], anna: User, sms: Application) -> None:
    connect(anna, sms, 1, "uninstalled")
    connect(anna, sms, 1, "active")
    page = look("accounts:home")
    assert page.count("Salon 1</bdi></b>") == 1
    assert "Disconnected" not in page


def test_states_are_filtered(look: Callable[..., str], anna: User, sms: Application) -> None:
    for number in range(30):
        connect(anna, sms, 100 + number, "frozen" if number == 7 else "active")
    page = look("accounts:home", state="frozen")
    assert "Salon 107" in page
    assert "Salon 108" not in page


def test_altegios_words_are_quoted_and_ours_are_not_shown_raw(
    look: Callable[..., str], anna: User, sms: Application
) -> None:
    connect(anna, sms, 1, "failed", reason="HTTP 422 for us", altegio_words="Application is suspended")
    page = look("accounts:home")
    assert '“<bdi lang="">Application is suspended</bdi>”' in page
    assert "HTTP 422" not in page


def test_a_title_under_review_is_neither_shown_nor_found(
    look: Callable[..., str], anna: User, sms: Application
) -> None:
    connect(anna, sms, 1, review="Another name was signed.")
    assert "Salon 1" not in look("accounts:home")
    assert "10001" not in look("accounts:home", q="salon")
    assert "10001" in look("accounts:home", q="10001")


def test_a_location_on_its_way_out_says_so(look: Callable[..., str], anna: User, sms: Application) -> None:
    connection = connect(anna, sms, 1)
    disconnect(connection.pk, by=anna, why="x")
    page = look("accounts:home")
    assert "being disconnected" in page
    assert reverse("lifecycle:disconnect", args=[connection.pk]) not in page


# --- money ----------------------------------------------------------------------------------------


def test_the_paid_until_date_stands_beside_the_location(
    look: Callable[..., str], anna: User, sms: Application
) -> None:
    connect(anna, sms, 1, paid_until=datetime(2126, 5, 4, 12, tzinfo=UTC))
    assert "Paid until 4 May 2126." in look("accounts:home")


def test_a_payment_that_is_due_is_marked(look: Callable[..., str], anna: User, sms: Application) -> None:
    connect(anna, sms, 1, next_payment_at=datetime(2020, 5, 4, 12, tzinfo=UTC))
    assert "Not paid since 4 May 2020." in look("billing:subscriptions")


def test_payments_stand_newest_first_with_amount_period_and_state(
    look: Callable[..., str], anna: User, sms: Application
) -> None:
    connection = connect(anna, sms, 1)
    pay(connection)
    pay(connection, status="refunded", paid_at=datetime(2026, 4, 1, tzinfo=UTC), refunded_at=timezone.now())
    page = look("billing:payments")
    assert page.index("1 April 2026") < page.index("1 March 2026")
    assert "€1,990.50" in page
    assert "For 1 March 2026 – 31 March 2026" in page
    assert page.index("Refunded") < page.index("Paid<")


def test_money_is_written_in_the_form_of_the_owners_language(
    look: Callable[..., str], anna: User, sms: Application
) -> None:
    pay(connect(anna, sms, 1))
    User.objects.update(language="hu")
    with translation.override("en"):
        page = look("billing:payments")
    assert "1\N{NO-BREAK SPACE}990,50\N{NO-BREAK SPACE}EUR" in page


def test_internal_errors_with_altegio_are_not_shown_raw(
    look: Callable[..., str], anna: User, sms: Application
) -> None:
    pay(connect(anna, sms, 1), status="failed", error="HTTP 500 <html>", altegio_payment_id=None)
    page = look("billing:payments")
    assert "Our staff look into it" in page
    assert "HTTP 500" not in page


# --- telephony ------------------------------------------------------------------------------------


@pytest.fixture
def chain(anna: User, phones: Application) -> Chain:
    chain = Chain.objects.create(altegio_id=501, crm_token="crm", telephony_since=datetime(2026, 2, 3, tzinfo=UTC))
    Location.objects.filter(pk=connect(anna, phones, 1).location_id).update(chain=chain)
    return chain


def test_a_chain_says_since_when_its_telephony_is_on(look: Callable[..., str], chain: Chain) -> None:
    Chain.objects.update(telephony="on")
    page = look("telephony:list")
    assert "Since 3 February 2026." in page
    assert "Try again" not in page


def test_a_refused_switch_is_tried_again_by_the_owner(look: Callable[..., str], client: Client, chain: Chain) -> None:
    Chain.objects.update(telephony="failed", telephony_error="crm token is wrong")
    page = look("telephony:list")
    assert "Try again" in page
    assert "crm token" not in page
    client.post(reverse("telephony:again", args=[chain.pk]))
    chain.refresh_from_db()
    assert chain.telephony == "enabling"
    assert not_none(chain.telephony_since) > datetime(2026, 2, 4, tzinfo=UTC)
    assert OutgoingCall.objects.filter(kind="switch_telephony").count() == 1


def test_a_switch_is_not_tried_without_end(look: Callable[..., str], client: Client, chain: Chain) -> None:
    for _ in range(5):
        Chain.objects.update(telephony="failed")
        client.post(reverse("telephony:again", args=[chain.pk]))
    assert OutgoingCall.objects.filter(kind="switch_telephony").count() == 3


def test_nobody_switches_anothers_chain(client: Client, chain: Chain) -> None:
    Chain.objects.update(telephony="failed")
    client.force_login(User.objects.create_user("other@example.com"))
    assert client.post(reverse("telephony:again", args=[chain.pk])).status_code == 404
    assert not OutgoingCall.objects.exists()


def test_pages_that_are_empty_do_not_stand_in_the_way(look: Callable[..., str], anna: User, sms: Application) -> None:
    connect(anna, sms, 1)
    page = look("accounts:home")
    assert reverse("sender_names:list") in page
    assert reverse("telephony:list") not in page


# --- sender names ---------------------------------------------------------------------------------


def test_a_bad_name_is_reported_at_its_field_and_nothing_typed_is_lost(
    look: Callable[..., str], client: Client, anna: User, sms: Application
) -> None:
    connection = connect(anna, sms, 1)
    look("sender_names:list")
    answer = client.post(reverse("sender_names:ask", args=[connection.pk]), {"name": "Медведь"})
    assert answer.status_code == 400
    assert 'value="Медведь"' in answer.content.decode()


def test_a_refusal_is_shown_for_a_month(look: Callable[..., str], anna: User, sms: Application) -> None:
    names = SenderNameList.objects.create(installation=Installation.at(sms, connect(anna, sms, 1).location))
    refused = SenderName.objects.create(list=names, name="BANK", state="refused")
    assert "BANK" in look("sender_names:list")
    SenderName.objects.filter(pk=refused.pk).update(changed_at=timezone.now() - timedelta(days=31))
    assert "BANK" not in look("sender_names:list")
