"""The secrets in links and e-mails, and an owner's frame token, are in no log and no column."""

import re
from urllib.parse import quote

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils.http import urlsafe_base64_encode

from accounts.confirmation_links import state_of
from accounts.email_change import request_email_change
from accounts.emails import send_waiting_emails
from accounts.frame_tokens import make_frame_token
from accounts.models import User
from accounts.two_factor.setup import link_for
from partner_portal.core.error_reports import without_secrets
from partner_portal.core.masking import mask
from tests.kept import as_written, everything_stored

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna() -> User:
    return User.objects.create_user("anna@owner.example", "correct horse battery")


@pytest.fixture
def tokens(anna: User) -> dict[str, str]:
    """Return the secret of each e-mail link by the page that it opens, and Anna's frame token."""
    browser = Client()
    browser.force_login(anna)
    request_email_change(anna, "anna@new.example")
    browser.post(reverse("lifecycle:erase-email"))
    browser.post(reverse("accounts:password-email"))
    send_waiting_emails()
    found = [
        re.search(r"/account/(email|erase|reset)/(\S+)/", str(outgoing_email.body)) for outgoing_email in mail.outbox
    ]
    links = {"pass": make_frame_token(anna), "two-factor": link_for(anna.pk, state_of(anna)).rsplit("/", 2)[-2]}
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


def test_no_column_holds_a_link_secret(tokens: dict[str, str]) -> None:
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
def test_no_log_line_shows_a_link_secret(tokens: dict[str, str], around: str) -> None:
    pieces = [piece for secret in tokens.values() for piece in secret.split(":") if len(piece) > 10]
    assert len(pieces) >= len(tokens) == 5
    for address in addresses(tokens):
        assert any(piece in address for piece in pieces)
        for written in (address, address.replace("/", "%2F"), address.replace("/", "%2f"), quote(address, safe="")):
            masked = mask(around.format(written))
            assert not [piece for piece in pieces if piece in masked]


def test_no_error_logs_a_link_secret(
    tokens: dict[str, str], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in ("accounts.my_data.opened", "integrations.lifecycle.account_deletion.opened"):
        monkeypatch.setattr(place, lambda *_: 1 / 0)
    monkeypatch.setattr("accounts.views.show", lambda *_: 1 / 0)
    anybody = Client(raise_request_exception=False, headers={"Sec-Fetch-Dest": "iframe"})
    answers = [anybody.get(address) for address in addresses(tokens)]
    assert [answer.status_code for answer in answers] == [500, 500, 302, 500, 302]
    shown = as_written(caplog.records) + "".join(answer.content.decode() for answer in answers)
    assert shown.count("ZeroDivisionError") >= 3
    assert not [name for name, secret in tokens.items() if secret in shown]


def test_no_error_report_holds_a_link_secret(tokens: dict[str, str]) -> None:
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


def test_only_the_owner_sees_a_pending_address(anna: User, caplog: pytest.LogCaptureFixture) -> None:
    request_email_change(anna, "anna@new.example")
    send_waiting_emails()
    other = User.objects.create_user("other@owner.example", "correct horse battery")
    browser = Client()
    browser.force_login(other)
    for name in ("accounts:home", "accounts:me", "accounts:email", "accounts:download"):
        assert b"anna@" not in browser.get(reverse(name)).content
    assert "anna@new.example" not in as_written(caplog.records)
    framed = Client(headers={"Sec-Fetch-Dest": "iframe"}).get(f"/connect/as/{make_frame_token(anna)}/account/")
    assert b"anna@new.example" not in framed.content
