"""An account made in advance under somebody else's address is no way to what that person connects later."""

import pytest
from django.core import mail
from django.test import Client

from accounts.letters import send_waiting_letters
from accounts.models import User
from integrations.models import Connection
from tests.integrations.connect.test_unsigned_arrival import SIGN_UP, form_action
from tests.marketplace import AURORA_1, AURORA_2, EMMA, EMMAS_EMAIL, arrive

pytestmark = pytest.mark.django_db
ATTACKERS = "what the attacker chose"


def made_in_advance(email: str) -> tuple[User, Client]:
    """The attacker's account under this address, and the attacker's browser, signed in."""
    account = User.objects.create_user(email, ATTACKERS, name="Not me")
    browser = Client()
    sign_in(browser, email)
    assert browser.get("/account/").status_code == 200
    return account, browser


def sign_in(browser: Client, email: str) -> int:
    return browser.post("/account/sign-in/", {"username": email, "password": ATTACKERS}).status_code


def opened_letter() -> Client:
    """The browser of whoever reads the mail, after the link in the newest letter."""
    send_waiting_letters()
    link = next(word for word in mail.outbox[-1].body.split() if "/connect/confirm/" in word)
    browser = Client()
    path = link[link.index("/connect/") :]
    assert b"password" in browser.get(path).content
    browser.post(path)
    assert browser.get("/account/").status_code == 200
    return browser


def test_whoever_signs_up_later_ends_the_password_they_never_chose(altegio, work):
    account, attacker = made_in_advance("olga@example.com")
    page = arrive(Client(), altegio, AURORA_1, user_id=None)
    Client().post(form_action(page, "sign-up"), SIGN_UP)
    opened_letter()
    work()

    assert Connection.objects.get().owner == account
    assert attacker.get("/account/").status_code == 302, "signed out"
    sign_in(attacker, account.email)
    assert attacker.get("/account/").status_code == 302


def test_whoever_comes_signed_by_altegio_ends_it_too(altegio, work):
    account, attacker = made_in_advance(EMMAS_EMAIL)
    status = arrive(Client(), altegio, AURORA_2, EMMA)["Location"]
    page = Client().get(status)
    Client().post(form_action(page, "link"), {"email": account.email})
    opened_letter()
    work()

    sign_in(attacker, account.email)
    assert attacker.get("/account/").status_code == 302


def test_an_owner_who_asks_for_a_link_keeps_their_password(altegio):
    owner = User.objects.create_user("olga@example.com", ATTACKERS)
    page = arrive(Client(), altegio, AURORA_1, user_id=None)
    Client().post(form_action(page, "link"), {"email": owner.email})
    send_waiting_letters()
    link = next(word for word in mail.outbox[-1].body.split() if "/connect/confirm/" in word)
    Client().post(link[link.index("/connect/") :])
    assert User.objects.get().check_password(ATTACKERS)
