"""The download of one's own data holds nothing of others, whatever one once had or is called."""

import json

import pytest
from django.contrib.auth.hashers import make_password
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.emails import queue_email
from accounts.erasure import erase_person
from accounts.models import OutgoingEmail, User
from integrations.connections.models import Application, Connection, Installation, Location
from integrations.sender_names.models import SenderName, SenderNameList

pytestmark = pytest.mark.django_db


@pytest.fixture
def emma() -> User:
    return User.objects.create_user("emma@owner.example", "correct horse battery")


@pytest.fixture
def maria() -> User:
    return User.objects.create_user("maria@other.example", "correct horse battery")


def connected(owner: User, application: Application, location: Location, state: str = "active") -> Connection:
    now = timezone.now()
    times = {"arrived_at": now, "last_arrived_at": now, "deadline_at": now, "reviewed_at": now}
    claim = {"claim": f"u:{owner.pk}", "claimant": owner, "owner": owner}
    return Connection.objects.create(application=application, location=location, state=state, **times, **claim)


def names_in_download(owner: User) -> list[str]:
    browser = Client()
    browser.force_login(owner)
    return [each["name"] for each in browser.get(reverse("accounts:download")).json()["sender_names"]]


def test_the_download_holds_no_sender_name_of_other_owners_there(emma: User, maria: User) -> None:
    sms, other = (Application.objects.create(altegio_id=number, kind="sms") for number in (1, 2))
    mine, theirs, sold = (Location.objects.create(altegio_id=10101 + number) for number in range(3))
    connected(emma, sms, mine)
    connected(emma, other, theirs)
    connected(maria, sms, theirs)
    connected(emma, sms, sold, "uninstalled")
    connected(maria, sms, sold)
    for location, name in ((mine, "MINE"), (theirs, "THEIRS"), (sold, "SOLD")):
        names = SenderNameList.objects.create(installation=Installation.at(sms, location))
        SenderName.objects.create(list=names, name=name, state="granted")
    assert names_in_download(emma) == ["MINE"]
    assert sorted(names_in_download(maria)) == ["SOLD", "THEIRS"]


def test_equal_capitals_in_postgresql_do_not_merge_two_people() -> None:
    """The letters ı and ſ have the capitals I and S."""
    victim = User.objects.create_user("kristin@owner.example", "correct horse battery")
    lookalike = User.objects.create(email="kr\u0131\u017ftin@owner.example", password=make_password(None))
    queue_email("welcome", victim, key="victims")
    browser = Client()
    browser.force_login(lookalike)
    assert json.loads(browser.get(reverse("accounts:download")).content)["emails"] == []
    erase_person(lookalike)
    assert OutgoingEmail.objects.filter(key="victims").exists()


def test_the_download_holds_own_emails_in_any_spelling_of_the_address(emma: User) -> None:
    OutgoingEmail.objects.create(template="password_reset", to="Emma@Owner.example", key="hers")
    browser = Client()
    browser.force_login(emma)
    assert len(browser.get(reverse("accounts:download")).json()["emails"]) == 1
