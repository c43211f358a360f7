"""Erasing an account ends what waits for its person, and nothing that waits for another reader of mail."""

from typing import Any

import pytest
from django.test import Client

from accounts.customers import CustomerData, put_customer
from accounts.erasure import erase_person
from accounts.models import User
from integrations.backoffice.models import ConnectionNote
from integrations.connections.models import Arrival, ArrivalLocation, Connection
from sandbox import Sandbox
from tests.admin_urls import admin_url
from tests.marketplace import AURORA_1, EMMAS_EMAIL, MARIA, MEDVED_1, arrive, proven_owner
from tests.not_none import not_none
from tests.owner_forms import PASSWORD, SIGN_UP, form_action
from tests.security.signing_up import opened_email, sign_up
from tests.working import Work

pytestmark = pytest.mark.django_db
ANA, ANNA = "ana@customer.example", "anna@customer.example"


def at(location: int) -> Connection:
    return Connection.objects.get(location__altegio_id=location)


def mistyped(altegio: Sandbox) -> User:
    """Let the real Ana sign up while a customer's account has her address; return the account, put right."""
    put_customer(CustomerData("C-1", ANA))
    sign_up(altegio, ANA, location=MEDVED_1)
    put_customer(CustomerData("C-1", ANNA))
    return User.objects.get(email=ANNA)


def test_what_waits_for_an_address_that_the_account_has_left_outlives_it(altegio: Sandbox, work: Work) -> None:
    account = mistyped(altegio)
    work()
    ConnectionNote.objects.create(connection=at(MEDVED_1), text="Ana called")
    before = Connection.objects.values("state", "claim", "visitor", "network").get()
    erase_person(account)
    assert Connection.objects.values("state", "claim", "visitor", "network").get() == before
    assert ConnectionNote.objects.exists()
    assert Arrival.objects.get().expected_user is None

    sign_up(altegio, ANA, location=MEDVED_1)
    opened_email(PASSWORD)
    assert not_none(Connection.objects.live().get().owner).email == ANA


def test_so_does_a_claim_that_altegio_has_not_answered(altegio: Sandbox, work: Work) -> None:
    erase_person(mistyped(altegio))
    work()
    assert at(MEDVED_1).state == "active"


def test_its_reader_still_signs_in_on_the_visits_page(altegio: Sandbox, work: Work) -> None:
    account = proven_owner(EMMAS_EMAIL)
    page = arrive(Client(), altegio, AURORA_1)["Location"]
    User.objects.filter(pk=account.pk).update(email=ANNA)
    erase_person(User.objects.get(pk=account.pk))
    assert b'type="password"' in Client().get(page).content
    staff = Client()
    staff.force_login(User.objects.create_superuser("staff@partner.example"))
    waiting = staff.get(admin_url("arrival", "changelist"), {"registered": "waits"})
    assert list(waiting.context["cl"].queryset) == [Arrival.objects.get()]

    proven_owner(EMMAS_EMAIL, PASSWORD)
    Client().post(f"{page}sign-in/", {"email": EMMAS_EMAIL, "password": PASSWORD})
    work()
    assert not_none(at(AURORA_1).owner).email == EMMAS_EMAIL


def test_what_waits_for_the_last_address_goes_whatever_account_had_it_then(altegio: Sandbox, work: Work) -> None:
    mistyped(altegio)
    ConnectionNote.objects.create(connection=at(MEDVED_1), text="Ana called")
    erase_person(proven_owner(ANA))
    work()
    assert (at(MEDVED_1).state, at(MEDVED_1).visitor) == ("failed", "")
    assert Arrival.objects.get().expected_address_hash == ""
    assert not ConnectionNote.objects.exists()


def test_a_signed_visit_of_a_linked_user_goes_whatever_address_was_the_accounts(altegio: Sandbox) -> None:
    """The account was closed as they came, and had another address."""
    arrive(Client(), altegio, MEDVED_1)
    User.objects.update(is_active=False)
    arrive(Client(), altegio, AURORA_1)
    User.objects.update(email=ANNA)
    erase_person(User.objects.get())
    assert at(AURORA_1).state == "failed"
    assert not Arrival.objects.exclude(altegio_user_id=None).exists()


def test_one_altegio_user_may_wait_for_two_addresses(altegio: Sandbox, work: Work) -> None:
    """Maria set Emma's address at Altegio, then Ana's: what waits for Ana is not Emma's."""
    emma, _ana = proven_owner(EMMAS_EMAIL), proven_owner(ANA)
    for email, location in ((EMMAS_EMAIL, MEDVED_1), (ANA, AURORA_1)):
        altegio.world.user(MARIA).email = email
        arrive(Client(), altegio, location, MARIA)
    erase_person(emma)
    work()
    assert (at(MEDVED_1).state, at(AURORA_1).state) == ("failed", "active")
    assert (at(MEDVED_1).claim, at(AURORA_1).claim) == (f"erased:{at(MEDVED_1).pk}", f"a:{MARIA}")
    assert [each.altegio_user_id for each in Arrival.objects.order_by("pk")] == [None, MARIA]


def test_a_linked_users_own_account_keeps_its_claims(altegio: Sandbox, work: Work) -> None:
    """Her visit once waited for the address of somebody who is erased."""
    emma = proven_owner(EMMAS_EMAIL)
    altegio.world.user(MARIA).email = EMMAS_EMAIL
    arrive(Client(), altegio, MEDVED_1, MARIA)
    altegio.world.user(MARIA).email = ANA
    maria: dict[str, Any] = {"altegio_user_id": MARIA}
    proven_owner(ANA).identities.create(**maria)
    arrive(Client(), altegio, AURORA_1, MARIA)
    erase_person(emma)
    work()
    assert not_none(at(AURORA_1).owner).email == ANA


def test_a_typed_address_leaves_no_hash_beside_what_nobody_has(altegio: Sandbox) -> None:
    page = arrive(Client(), altegio, AURORA_1, user_id=None)
    person = proven_owner(ANNA)
    Client().post(form_action(page, "sign-up"), SIGN_UP | {"email": ANNA})
    ArrivalLocation.objects.all().delete()
    Connection.objects.update(claim="s:0")
    erase_person(person)
    assert Connection.objects.get().visitor == ""
