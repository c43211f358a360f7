"""A person who signs up sees the terms they accept, and the acceptance is stored, whichever way they came."""

import re
from dataclasses import replace
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.emails import send_waiting_emails
from accounts.erasure import erase_person
from accounts.models import User
from accounts.personal_data import export_person
from accounts.terms import accept_terms, terms_accepted_at
from integrations.connections.models import Application
from partner_portal.core.brand import Brand
from sandbox import Sandbox
from tests.marketplace import AURORA_1, AURORA_2, EMMAS_EMAIL, arrive, proven_owner
from tests.not_none import not_none
from tests.response import Response

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"
SIGN_UP = {"name": "Olga", "email": "olga@example.com", "phone": "", "password": PASSWORD}
BLUEBIRD = Brand(terms_url="https://bluebird.example/terms", privacy_url="https://bluebird.example/privacy")
VERSION = {"terms_url": BLUEBIRD.terms_url, "privacy_url": BLUEBIRD.privacy_url}
SENTENCE = (
    'By continuing you accept the <a href="https://bluebird.example/terms" target="_blank" rel="noopener">terms of '
    'use</a> and the <a href="https://bluebird.example/privacy" target="_blank" rel="noopener">privacy policy</a>.'
)


@pytest.fixture(autouse=True)
def bluebird(settings: Settings) -> None:
    settings.BRAND = BLUEBIRD


def action(page: Response, name: str) -> str:
    return not_none(re.search(rf'action="([^"]*/{name}/)"', page.content.decode())).group(1)


def versions(user: User) -> list[dict[str, str]]:
    user.refresh_from_db()
    return [{name: text for name, text in each.items() if name != "accepted_at"} for each in user.accepted_terms]


def test_the_sign_up_form(altegio: Sandbox) -> None:
    page = arrive(Client(), altegio, AURORA_1, user_id=None)
    Client().post(action(page, "sign-up"), SIGN_UP)
    assert SENTENCE in page.content.decode()
    assert versions(User.objects.get()) == [VERSION]


def test_a_signed_arrival_asks_no_question(altegio: Sandbox) -> None:
    client = Client()
    page = client.get(arrive(client, altegio, AURORA_1)["Location"])
    assert SENTENCE in page.content.decode()
    assert versions(User.objects.get()) == [VERSION]


def test_a_password_on_the_arrivals_page(altegio: Sandbox) -> None:
    olga = proven_owner("olga@example.com", PASSWORD)
    page = arrive(Client(), altegio, AURORA_1, user_id=None)
    Client().post(action(page, "sign-in"), {"email": olga.email, "password": PASSWORD})
    assert versions(olga) == [VERSION]


def test_the_link_in_an_e_mail(altegio: Sandbox) -> None:
    emma = proven_owner(EMMAS_EMAIL, PASSWORD)
    client = Client()
    status = client.get(arrive(client, altegio, AURORA_1)["Location"])
    Client().post(action(status, "link"), {})
    send_waiting_emails()
    link = not_none(re.search(r"/connect/confirm/\S+", str(mail.outbox[0].body))).group()
    assert SENTENCE in client.get(link).content.decode()
    client.post(link, {"password": PASSWORD})
    assert versions(emma) == [VERSION]


def test_a_person_whose_address_somebody_typed_has_accepted_nothing(altegio: Sandbox) -> None:
    olga = proven_owner("olga@example.com", PASSWORD)
    page = arrive(Client(), altegio, AURORA_1, user_id=None)
    Client().post(action(page, "sign-up"), SIGN_UP)
    assert versions(olga) == []


def test_each_version_is_kept_once_and_an_application_may_have_its_own(
    altegio: Sandbox, django_assert_num_queries: Any
) -> None:
    Application.objects.create(altegio_id=2, brand_terms_url="https://bluebird.example/voice")
    for location, application in ((AURORA_1, 1), (AURORA_2, 1), (AURORA_1, 2)):
        arrive(Client(), altegio, location, application_id=application)
    emma = User.objects.get()
    assert versions(emma) == [VERSION, VERSION | {"terms_url": "https://bluebird.example/voice"}]
    with django_assert_num_queries(0):
        accept_terms(emma, BLUEBIRD)


def test_without_terms_nothing_is_shown_or_stored(altegio: Sandbox, settings: Settings) -> None:
    settings.BRAND = Brand()
    client = Client()
    page = client.get(arrive(client, altegio, AURORA_1)["Location"])
    assert "you accept" not in page.content.decode()
    assert versions(User.objects.get()) == []
    assert terms_accepted_at(User.objects.get()) is None


@pytest.mark.parametrize(("part", "words"), [("terms_url", "privacy policy"), ("privacy_url", "terms of use")])
def test_one_of_the_two_documents_is_enough(altegio: Sandbox, settings: Settings, part: str, words: str) -> None:
    settings.BRAND = replace(BLUEBIRD, **{part: ""})
    page = arrive(Client(), altegio, AURORA_1, user_id=None).content.decode()
    assert f">{words}</a>." in page
    assert page.count("you accept the <a") == 1


def test_the_acceptance_is_in_the_owners_download_and_erased_with_them(altegio: Sandbox) -> None:
    arrive(Client(), altegio, AURORA_1)
    emma = User.objects.get()
    account = export_person(emma)["account"]
    assert account["terms_accepted_at"] == terms_accepted_at(emma)
    assert account["accepted_terms"] == emma.accepted_terms != []
    erase_person(emma)
    assert emma.accepted_terms == []
