"""Steps of somebody who signs up and in, by the forms and by the links in e-mails."""

import re

from django.core import mail
from django.test import Client

from accounts.emails import send_waiting_emails
from sandbox import Sandbox
from tests.marketplace import MEDVED_1, arrive
from tests.not_none import not_none
from tests.owner_forms import SIGN_UP, form_action

ATTACKERS = "what the attacker chose"
OURS = {"Origin": "http://testserver"}


def sign_up(altegio: Sandbox, email: str, password: str = ATTACKERS, location: int = MEDVED_1) -> tuple[str, Client]:
    """Sign up by the form in a fresh browser; return the status page's address and the browser."""
    browser = Client()
    page = arrive(browser, altegio, location, user_id=None)
    form = SIGN_UP | {"email": email, "password": password}
    return browser.post(form_action(page, "sign-up"), form)["Location"], browser


def is_signed_in(browser: Client) -> bool:
    return browser.get("/account/").status_code == 200


def sign_in(browser: Client, email: str, password: str = ATTACKERS) -> bool:
    browser.post("/account/sign-in/", {"username": email, "password": password})
    return is_signed_in(browser)


def link_in_email() -> str:
    send_waiting_emails()
    return not_none(re.search(r"http://localhost:8000(/\S+)", str(mail.outbox[-1].body)))[1]


def opened_email(password: str = "", browser: Client | None = None) -> Client:
    """Return the browser of the mail's reader, after the link in the newest e-mail."""
    browser = browser or Client()
    browser.post(link_in_email(), {"password": password})
    assert is_signed_in(browser)
    return browser
