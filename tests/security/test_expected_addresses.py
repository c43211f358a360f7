"""What waits for an address is given to those who have proven that address, whatever account has it or had it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.customers import CustomerData, put_customer
from accounts.emails import send_waiting_emails
from accounts.models import AltegioIdentity, User
from integrations.connect.expectations import expect
from integrations.connect.tokens import status_token
from integrations.connections.models import Application, Arrival, Connection
from sandbox import Sandbox
from tests.marketplace import AURORA_1, EMMA, EMMAS_EMAIL, MARIA, MEDVED_1, arrive, follow, proven_owner
from tests.not_none import not_none
from tests.owner_forms import PASSWORD, SIGN_UP, form_action
from tests.security.signing_up import link_in_email, opened_email
from tests.working import Work

pytestmark = pytest.mark.django_db
Arrives = Callable[[Sandbox], str]
ANA, ANNA = "ana@customer.example", "anna@customer.example"


def signed(altegio: Sandbox) -> str:
    """Let Emma arrive by Altegio's signature; return her status page's address."""
    return arrive(Client(), altegio, AURORA_1, EMMA)["Location"]


def by_the_form(altegio: Sandbox, email: str = EMMAS_EMAIL) -> str:
    """Let somebody arrive and sign up by the form; return their status page's address."""
    page = arrive(Client(), altegio, AURORA_1, user_id=None)
    return Client().post(form_action(page, "sign-up"), SIGN_UP | {"email": email})["Location"]


@pytest.fixture
def marias(altegio: Sandbox) -> User:
    """Return the account that exists on Altegio's word: Maria came once, with Emma's address set at Altegio."""
    altegio.world.user(MARIA).email = EMMAS_EMAIL
    arrive(Client(), altegio, MEDVED_1, MARIA)
    account = User.objects.get()
    assert (account.email, account.email_proven_at) == (EMMAS_EMAIL, None)
    return account


@pytest.mark.parametrize("emma_arrives", [signed, by_the_form])
def test_an_account_on_altegios_word_takes_nothing_that_waits_for_the_address(
    altegio: Sandbox, work: Work, marias: User, emma_arrives: Arrives
) -> None:
    emmas_page = emma_arrives(altegio)
    work()
    follow(Client(headers={"Sec-Fetch-Dest": "iframe"}), altegio, AURORA_1, MARIA)
    work()
    assert Connection.objects.live().get(location__altegio_id=AURORA_1).owner is None

    Client().post(f"{emmas_page}link/")
    opened_email(PASSWORD)
    emma = Connection.objects.live().get(location__altegio_id=AURORA_1).owner
    assert emma == User.objects.get(email=EMMAS_EMAIL)
    assert not AltegioIdentity.objects.filter(user=emma, altegio_user_id=MARIA).exists()


@pytest.mark.parametrize("emma_arrives", [signed, by_the_form])
def test_nor_does_it_once_it_has_an_address_of_its_own(
    altegio: Sandbox, work: Work, marias: User, emma_arrives: Arrives
) -> None:
    emmas_page = emma_arrives(altegio)
    work()
    maria = Client()
    maria.force_login(marias)
    maria.post(reverse("accounts:email"), {"email": "maria@medved.example"})
    maria.post(link_in_email())
    marias.refresh_from_db()
    assert (marias.email, marias.email_proven_at is None) == ("maria@medved.example", False)
    follow(Client(), altegio, AURORA_1, MARIA)
    assert Connection.objects.live().get(location__altegio_id=AURORA_1).owner is None

    mail.outbox.clear()
    assert Client().post(f"{emmas_page}link/").status_code == 410
    assert not sent_to("maria@medved.example")


def sent_to(email: str) -> list[Any]:
    send_waiting_emails()
    return [message for message in mail.outbox if message.to == [email]]


def test_a_corrected_customer_is_not_led_to_what_waits_for_the_mistyped_address(altegio: Sandbox, work: Work) -> None:
    put_customer(CustomerData("C-1", ANA))
    anas_page = by_the_form(altegio, ANA)
    work()
    put_customer(CustomerData("C-1", ANNA))
    mail.outbox.clear()
    Client().post(f"{anas_page}link/")
    assert not sent_to(ANNA)

    by_the_form(altegio, ANA)
    assert sent_to(ANA)
    opened_email(PASSWORD)
    owner = not_none(Connection.objects.live().get().owner)
    assert owner.email == ANA


def test_the_reader_of_an_email_is_told_which_altegio_user_it_links(altegio: Sandbox) -> None:
    """Maria, not Emma, has come: Emma must see that Maria's user would open her pages."""
    proven_owner(EMMAS_EMAIL)
    altegio.world.user(MARIA).email = EMMAS_EMAIL
    page = arrive(Client(), altegio, AURORA_1, MARIA)["Location"]
    Client().post(f"{page}link/")
    link = link_in_email()
    told = f"came from Altegio, by its user {MARIA}."
    assert told in mail.outbox[-1].body
    assert told in Client().get(link).content.decode()
    opened = Client().post(link, {"password": PASSWORD})
    assert opened.status_code == 303
    assert AltegioIdentity.objects.get().altegio_user_id == MARIA


def in_the_frame(altegio: Sandbox, location: int, user_id: int) -> str:
    """Let a signed person come again within Altegio; return where they are sent."""
    return follow(Client(headers={"Sec-Fetch-Dest": "iframe"}), altegio, location, user_id)["Location"]


def test_the_visit_that_made_an_account_opens_it_no_more_once_its_reader_has_it(
    altegio: Sandbox, work: Work, marias: User
) -> None:
    """Maria's own visit sends Emma the e-mail. It names nobody, so it links nobody; its location is Emma's."""
    assert "/connect/as/" in in_the_frame(altegio, MEDVED_1, MARIA)
    Client().post(f"{reverse('connect:status', args=[status_token(Arrival.objects.earliest('pk'))])}link/")
    assert "came from Altegio" not in Client().get(link_in_email()).content.decode()
    assert "came from Altegio" not in mail.outbox[-1].body
    opened_email(PASSWORD)
    work()
    assert Connection.objects.live().get().owner == marias
    assert not AltegioIdentity.objects.exists()
    assert "/connect/as/" not in in_the_frame(altegio, MEDVED_1, MARIA)


def test_nor_do_the_other_visits_of_whoever_had_the_account_before(
    altegio: Sandbox, work: Work, marias: User
) -> None:
    """Emma signs in by her password on a page of Maria's that nothing names Maria on."""
    others = arrive(Client(), altegio, AURORA_1, MARIA)["Location"]
    Client().post(f"{reverse('connect:status', args=[status_token(Arrival.objects.earliest('pk'))])}link/")
    opened_email(PASSWORD)
    answer = Client().post(f"{others}sign-in/", {"email": EMMAS_EMAIL, "password": PASSWORD})
    work()
    assert answer.status_code == 303
    assert [each.owner for each in Connection.objects.live()] == [marias, marias]
    assert not AltegioIdentity.objects.exists()
    assert "/connect/as/" not in in_the_frame(altegio, AURORA_1, MARIA)


def test_an_email_that_links_nobody_names_nobody(altegio: Sandbox) -> None:
    """The visit is without a signature, or its user is linked with another account and stays so."""
    emma = proven_owner(EMMAS_EMAIL)
    AltegioIdentity.objects.create(user=proven_owner("maria@medved.example"), altegio_user_id=MARIA)
    pages = [by_the_form(altegio)]
    unlinked = Arrival.objects.create(
        application=Application.objects.get(), deadline_at=timezone.now(), salon_ids=[], claim=f"a:{MARIA}"
    )
    unlinked.altegio_user_id = MARIA
    expect(unlinked, emma)
    unlinked.save()
    pages.append(reverse("connect:status", args=[status_token(unlinked)]))
    for page in pages:
        Client().post(f"{page}link/")
        assert "came from Altegio" not in Client().get(link_in_email()).content.decode()
        assert "came from Altegio" not in mail.outbox[-1].body


def test_a_reopened_account_gets_what_altegio_signed_for_its_owner_meanwhile(altegio: Sandbox, work: Work) -> None:
    """The address was never proven; the signature of the linked user is proof enough."""
    arrive(Client(), altegio, MEDVED_1)
    User.objects.update(is_active=False)
    arrive(Client(), altegio, AURORA_1)
    work()
    there = Connection.objects.filter(location__altegio_id=AURORA_1)
    assert (there.get().state, there.get().owner) == ("active", None)
    User.objects.update(is_active=True)
    follow(Client(), altegio, AURORA_1)
    assert there.get().owner == User.objects.get()
    assert Arrival.objects.latest("pk").user == User.objects.get()
