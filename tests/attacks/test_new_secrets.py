"""The secrets in addresses and letters (an owner's pass, what a letter's link holds) are in no log and no column."""

import re
from urllib.parse import quote

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils.http import urlsafe_base64_encode

from accounts.addresses import ask_for_address
from accounts.letters import send_waiting_letters
from accounts.links import state_of
from accounts.models import User
from accounts.passes import pass_of
from accounts.two_factor.setting_up import link_for
from partner_portal.error_reports import without_secrets
from partner_portal.masking import mask
from tests.partner_portal.test_secrets import as_written, everything_stored

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna() -> User:
    return User.objects.create_user("anna@owner.example", "correct horse battery")


@pytest.fixture
def tokens(anna) -> dict[str, str]:
    """What each link of a letter holds, by the page it opens; and Anna's pass."""
    browser = Client()
    browser.force_login(anna)
    ask_for_address(anna, "anna@new.example")
    browser.post(reverse("lifecycle:erase-letter"))
    browser.post(reverse("accounts:password-letter"))
    send_waiting_letters()
    found = [re.search(r"/account/(email|erase|reset)/(\S+)/", letter.body) for letter in mail.outbox]
    links = {"pass": pass_of(anna), "two-factor": link_for(anna.pk, state_of(anna)).rsplit("/", 2)[-2]}
    return {each[1]: each[2].rsplit("/", 1)[-1] for each in found if each} | links


def addresses(tokens: dict[str, str]) -> list[str]:
    anna = urlsafe_base64_encode(str(User.objects.get(email="anna@owner.example").pk).encode())
    return [
        f"/account/email/{tokens['email']}/",
        f"/account/erase/{tokens['erase']}/",
        f"/account/reset/{anna}/{tokens['reset']}/",
        f"/connect/as/{tokens['pass']}/account/",
        f"/admin/two-factor/link/{tokens['two-factor']}/",
    ]


def test_no_column_holds_them(tokens):
    assert len(tokens) == 5
    stored = everything_stored()
    assert [name for name, secret in tokens.items() if secret in stored] == []


@pytest.mark.parametrize(
    "around",
    [
        "GET {} HTTP/1.1",
        'Referer: "https://portal.example{}?lang=hu"',
        "https://portal.example{}#top",
        "/account/sign-in/?next={}",
        "{{'next': '{}'}}",
    ],
)
def test_no_line_shows_them(tokens, around):
    for address in addresses(tokens):
        for written in (address, address.replace("/", "%2F"), address.replace("/", "%2f"), quote(address, safe="")):
            masked = mask(around.format(written))
            pieces = [piece for secret in tokens.values() for piece in secret.split(":") if len(piece) > 10]
            assert not [piece for piece in pieces if piece in masked]


def test_neither_an_error_nor_what_leads_to_it_logs_them(tokens, caplog, monkeypatch):
    for place in ("accounts.my_data.opened", "integrations.lifecycle.leaving.opened"):
        monkeypatch.setattr(place, lambda *_: 1 / 0)
    monkeypatch.setattr("accounts.views.show", lambda *_: 1 / 0)
    anybody = Client(raise_request_exception=False, headers={"Sec-Fetch-Dest": "iframe"})
    answers = [anybody.get(address) for address in addresses(tokens)]
    assert [answer.status_code for answer in answers] == [500, 500, 302, 500, 302]
    shown = as_written(caplog.records) + "".join(answer.content.decode() for answer in answers)
    assert shown.count("ZeroDivisionError") >= 3
    assert not [name for name, secret in tokens.items() if secret in shown]


def test_no_report_of_an_error_holds_them(tokens):
    event = {
        "request": {
            "url": f"https://portal.example{addresses(tokens)[3]}",
            "headers": {"Referer": addresses(tokens)[0]},
        },
        "transaction": addresses(tokens)[1],
        "breadcrumbs": {"values": [{"message": addresses(tokens)[2]}]},
    }
    sent = str(without_secrets(event))
    assert not [name for name, secret in tokens.items() if secret in sent]


def test_a_wished_address_is_seen_by_its_owner_alone(anna, caplog):
    ask_for_address(anna, "anna@new.example")
    send_waiting_letters()
    other = User.objects.create_user("other@owner.example", "correct horse battery")
    browser = Client()
    browser.force_login(other)
    for name in ("accounts:home", "accounts:me", "accounts:email", "accounts:download"):
        assert b"anna@" not in browser.get(reverse(name)).content
    assert "anna@new.example" not in as_written(caplog.records)
    framed = Client(headers={"Sec-Fetch-Dest": "iframe"}).get(f"/connect/as/{pass_of(anna)}/account/")
    assert b"anna@new.example" not in framed.content
