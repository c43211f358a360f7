"""A person who arrives under the address of a partner's customer is led to that account, after a proof."""

import json
import re
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client

from accounts import customers
from accounts.customers import CustomerConflictError, CustomerData, put_customer
from accounts.emails import send_waiting_emails
from accounts.erasure import erase_person
from accounts.models import ApiKey, Customer, User
from accounts.personal_data import export_person
from accounts.proofs import take_over
from accounts.sessions import SessionRevokedError, as_let_in
from integrations.activation.staff import give_to_claimant
from integrations.connections.models import Connection
from integrations.partner_events.models import PartnerEvent
from sandbox import Sandbox
from tests.concurrency import at_once, waits_for_a_lock
from tests.marketplace import AURORA_1, AURORA_2, EMMAS_EMAIL, MARIA, arrive, proven_owner
from tests.not_none import not_none
from tests.owner_forms import SIGN_UP, form_action
from tests.response import Response
from tests.working import Work

pytestmark = pytest.mark.django_db
Tell = Callable[..., Response]


@pytest.fixture
def partner(db: None) -> Client:
    """Return a system of the partner that stores customers."""
    _key, secret = ApiKey.objects.create_key(name="crm", scopes=["customers", "read"])
    return Client(headers={"Authorization": f"Api-Key {secret}"})


@pytest.fixture
def tell(partner: Client) -> Tell:
    """Return a function that PUTs a customer."""

    def run(external_id: str, **body: Any) -> Response:
        return partner.put(f"/api/v1/customers/{external_id}/", json.dumps(body), "application/json")

    return run


def open_last_email(browser: Client) -> None:
    """Open the link in the last e-mail, and say on its page that the arrival is one's own."""
    send_waiting_emails()
    link = not_none(re.search(r"http://localhost:8000(/connect/confirm/\S+)", str(mail.outbox[-1].body))).group(1)
    browser.post(link, {"password": "a long enough phrase"})


def carried() -> list[str]:
    return list(Connection.objects.order_by("pk").values_list("external_id", flat=True))


def test_a_new_customer_is_made_and_shown(partner: Client, tell: Tell) -> None:
    data = {"email": "anna@customer.example", "name": "Anna", "phone": "+36201234567", "language": "hu"}
    made = tell("C-1", **data)
    assert made.status_code == 201
    assert tell("C-1", **data).status_code == 200
    shown = partner.get("/api/v1/customers/C-1/").json()
    assert shown == made.json()
    assert {name: shown[name] for name in data} == data
    assert (shown["external_id"], shown["owner_id"]) == ("C-1", None)
    account = User.objects.get()
    assert (account.email, account.language, account.email_proven_at) == (data["email"], "hu", None)
    assert not account.has_usable_password()


@pytest.mark.parametrize("external_id", ["7", "a/b", "Kunde 7 é", "x" * 200])
def test_an_id_may_be_what_stands_in_an_address(partner: Client, tell: Tell, external_id: str) -> None:
    tell(external_id, email="anna@customer.example")
    assert partner.get(f"/api/v1/customers/{external_id}").json()["external_id"] == external_id


def test_an_unknown_customer_is_404(partner: Client) -> None:
    assert partner.get("/api/v1/customers/C-1/").status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "email"),
        ({"email": "no address"}, "email"),
        ({"email": "Anna <anna@customer.example>"}, "email"),
        ({"email": "a@b.example", "name": "x" * 201}, "name"),
        ({"email": "a@b.example", "name": "a\u0000b"}, "name"),
        ({"email": "a@b.example", "phone": 36}, "phone"),
        ({"email": "a@b.example", "language": "tlh"}, "language"),
    ],
)
def test_an_impossible_value_is_refused_by_its_name(tell: Tell, body: dict[str, Any], field: str) -> None:
    answer = tell("C-1", **body)
    assert (answer.status_code, list(answer.json())) == (400, [field])
    assert not User.objects.exists()


@pytest.mark.parametrize("name", ["Nina\u00a0Kiss", "Nina\r\nKiss", " Nina\tKiss ", "Nina\u2009 Kiss"])
def test_a_name_is_one_line_whatever_spaces_a_spreadsheet_puts_into_it(tell: Tell, name: str) -> None:
    assert tell("C-1", email="nina@customer.example", name=name).json()["name"] == "Nina Kiss"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ({"name": "x" * 201}, "at most 200"),
        ({"name": "a\u202eb"}, "invisible"),
        ({"phone": "+3620\u200e"}, "invisible"),
    ],
)
def test_the_error_of_a_text_is_explained(tell: Tell, data: dict[str, str], why: str) -> None:
    (said,) = tell("C-1", email="nina@customer.example", **data).json().values()
    assert why in said[0]


def test_an_id_with_a_space_that_does_not_break_is_refused_as_such(tell: Tell) -> None:
    assert "plain spaces" in tell("C\u00a01", email="nina@customer.example").json()["external_id"][0]


@pytest.mark.parametrize("external_id", ["x" * 201, "a//b"])
def test_an_id_that_no_address_carries_is_refused(tell: Tell, external_id: str) -> None:
    assert list(tell(external_id, email="a@b.example").json()) == ["external_id"]


def test_an_address_of_another_customer_is_409_and_changes_nothing(tell: Tell) -> None:
    tell("C-1", email="anna@customer.example")
    tell("C-2", email="bela@customer.example")
    for external_id in ("C-2", "C-3"):
        answer = tell(external_id, email="ANNA@customer.example")
        assert answer.status_code == 409
        assert "C-1" in answer.json()["email"][0]
    assert sorted(Customer.objects.values_list("email", flat=True)) == [
        "anna@customer.example",
        "bela@customer.example",
    ]


def test_staff_are_nobodys_customers(tell: Tell) -> None:
    User.objects.create_superuser("root@staff.example", "long enough words")
    assert tell("C-1", email="root@staff.example").status_code == 409


def test_an_account_is_that_of_one_customer_under_whichever_address(tell: Tell) -> None:
    owner = proven_owner("anna@customer.example")
    tell("C-1", email="anna@customer.example")
    User.objects.filter(pk=owner.pk).update(email="new@customer.example")
    assert tell("C-2", email="new@customer.example").status_code == 409
    assert tell("C-1", email="anna@customer.example", name="Other").json()["owner_id"] == owner.pk


def test_a_mistyped_address_is_put_right_until_somebody_has_opened_the_account(tell: Tell) -> None:
    tell("C-1", email="ana@customer.example")
    tell("C-1", email="anna@customer.example", name="Anna")
    account = User.objects.get()
    assert (account.email, account.name) == ("anna@customer.example", "Anna")

    take_over(account)
    tell("C-1", email="annamaria@customer.example", name="Anna Maria")
    account.refresh_from_db()
    assert (account.email, account.name) == ("anna@customer.example", "Anna")


def test_a_signed_arrival_under_the_address_must_prove_it_first(
    client: Client, altegio: Sandbox, work: Work, tell: Tell
) -> None:
    tell("C-1", email=EMMAS_EMAIL, language="hu")
    answer = arrive(client, altegio, AURORA_1)
    work()
    assert (carried(), Connection.objects.get().owner) == ([""], None)

    client.post(f"{answer['Location']}link/", {"email": EMMAS_EMAIL})
    open_last_email(client)
    assert carried() == ["C-1"]
    assert Customer.objects.get().user == Connection.objects.get().owner == User.objects.get()
    assert User.objects.get().language == "hu"


def test_a_typed_address_carries_nothing_until_it_is_proven(
    client: Client, altegio: Sandbox, work: Work, tell: Tell
) -> None:
    answer = arrive(client, altegio, AURORA_1, user_id=None)
    client.post(form_action(answer, "sign-up"), {**SIGN_UP, "email": EMMAS_EMAIL})
    work()
    connection = Connection.objects.get()
    assert connection.owner is not None
    assert tell("C-1", email=EMMAS_EMAIL).json()["owner_id"] is None
    assert carried() == [""]

    take_over(connection.owner)
    assert carried() == ["C-1"]


def test_an_owner_who_is_here_carries_the_id_from_then_on(
    client: Client, altegio: Sandbox, work: Work, tell: Tell, partner: Client
) -> None:
    arrive(client, altegio, AURORA_1)
    work()
    PartnerEvent.objects.all().delete()
    assert tell("C-1", email=EMMAS_EMAIL.upper()).json()["owner_id"] == User.objects.get().pk
    arrive(client, altegio, AURORA_2)
    assert carried() == ["C-1", ""]
    work()

    assert carried() == ["C-1", "C-1"]
    events = [json.loads(event.body) for event in PartnerEvent.objects.order_by("pk")]
    assert [(each["type"], each["data"]["connection"]["external_id"]) for each in events][:2] == [
        ("connection.changed", "C-1"),
        ("connection.activated", "C-1"),
    ]
    found = partner.get("/api/v1/connections/", {"external_id": "C-1"}).json()["results"]
    assert len(found) == 2


@pytest.mark.parametrize("own", ["B-7", None])
def test_a_connections_own_id_is_not_replaced_by_its_customers(
    client: Client, altegio: Sandbox, work: Work, tell: Tell, partner: Client, own: str | None
) -> None:
    arrive(client, altegio, AURORA_1)
    work()
    address = f"/api/v1/connections/{Connection.objects.get().pk}/"
    partner.patch(address, json.dumps({"external_id": own}), "application/json")
    tell("C-1", email=EMMAS_EMAIL)
    tell("C-1", email=EMMAS_EMAIL, name="Emma")
    assert carried() == [own or ""]


def test_a_reassigned_location_carries_nothing_of_its_first_owner(
    client: Client, altegio: Sandbox, work: Work, tell: Tell, partner: Client
) -> None:
    arrive(client, altegio, AURORA_1)
    work()
    live = Connection.objects.get()
    partner.patch(f"/api/v1/connections/{live.pk}/", json.dumps({"external_id": "B-7"}), "application/json")
    arrive(Client(), altegio, AURORA_1, MARIA)
    claim = Connection.objects.exclude(pk=live.pk).get()
    tell("C-2", email=not_none(not_none(claim.claimant).email))
    give_to_claimant(claim.pk, User.objects.create_superuser("root@staff.example", "long enough words"))

    live.refresh_from_db()
    assert (live.owner, live.external_id) == (claim.claimant, "C-2")


def test_an_owner_sees_and_downloads_what_the_partner_stored(tell: Tell) -> None:
    owner = proven_owner("anna@customer.example")
    tell("C-1", email="anna@customer.example", name="Anna at the partner's")
    assert export_person(owner)["customer"]["name"] == "Anna at the partner's"


@pytest.mark.parametrize("proven", [True, False])
def test_an_erased_person_is_nobodys_customer(tell: Tell, proven: bool) -> None:
    if proven:
        proven_owner("anna@customer.example")
    tell("C-1", email="anna@customer.example", name="Anna")
    erase_person(User.objects.get())
    assert not Customer.objects.exists()


def test_staff_find_customers(admin_client: Client, tell: Tell) -> None:
    tell("C-1", email="anna@customer.example")
    page = admin_client.get("/admin/accounts/customer/", {"q": "C-1"}).content.decode()
    assert "anna@customer.example" in page


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("ids", [["C-1"] * 4, ["C-1", "C-2", "C-3", "C-4"]])
def test_simultaneous_requests_make_one_customer_and_one_account(ids: list[str]) -> None:
    data = [CustomerData(external_id, "anna@customer.example") for external_id in ids]
    results = at_once(*[partial(put_customer, each) for each in data])
    made = [result[1] for result in results if isinstance(result, tuple)]
    assert sorted(made) == [False] * (len(made) - 1) + [True]
    assert {type(result) for result in results} <= {tuple, CustomerConflictError}
    assert Customer.objects.count() == User.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_many_requests_about_one_customer_are_all_answered() -> None:
    data = [CustomerData("C-1", f"anna{number}@customer.example") for number in range(12)]
    results = at_once(*[partial(put_customer, each) for each in data])
    assert [type(result) for result in results] == [tuple] * 12
    assert Customer.objects.count() == 1


def test_a_connection_carries_nothing_of_somebody_elses_customer(
    client: Client, altegio: Sandbox, work: Work, tell: Tell
) -> None:
    arrive(client, altegio, AURORA_1)
    work()
    tell("C-1", email=EMMAS_EMAIL)
    assert carried() == ["C-1"]
    other = proven_owner("anna@customer.example")
    assert tell("C-1", email="anna@customer.example").json()["owner_id"] == other.pk
    assert carried() == [""]


def test_the_holder_of_a_mistyped_address_learns_nothing_of_the_customer(tell: Tell) -> None:
    proven_owner("anna@customer.example")
    tell("C-1", email="ana@customer.example", name="Anna", phone="+36201234567", language="hu")
    tell("C-1", email="anna@customer.example", name="Anna", phone="+36201234567", language="hu")
    left = User.objects.get(email="ana@customer.example")
    assert (left.name, left.phone, left.language) == ("", "", "")


def test_a_link_to_a_mistyped_address_lets_nobody_in_once_corrected(tell: Tell) -> None:
    tell("C-1", email="ana@customer.example")
    as_opened = User.objects.get()
    tell("C-1", email="anna@customer.example")
    with pytest.raises(SessionRevokedError), as_let_in(as_opened):
        take_over(as_opened)


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets one transaction write at a time.")
def test_an_address_is_put_right_while_its_reader_opens_the_account(monkeypatch: pytest.MonkeyPatch) -> None:
    put_customer(CustomerData("C-1", "ana@customer.example"))
    as_opened, find, ends = User.objects.get(), customers._account, list[Any]()

    def open_account() -> None:
        with as_let_in(as_opened):
            take_over(as_opened)

    def find_while_it_is_opened(*about: Any) -> User | None:
        found = find(*about)
        reader.start()
        while not waits_for_a_lock():
            assert reader.is_alive()
        return found

    reader = threading.Thread(target=lambda: ends.extend(at_once(open_account)))
    monkeypatch.setattr(customers, "_account", find_while_it_is_opened)
    put_customer(CustomerData("C-1", "anna@customer.example"))
    reader.join()
    assert [type(end) for end in ends] == [SessionRevokedError]
    account = User.objects.get()
    assert (account.email, account.email_proven_at) == ("anna@customer.example", None)
