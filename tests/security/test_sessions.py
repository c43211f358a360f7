"""A session begins only with a sign-in, under a new key, and belongs to one person."""

import pytest
from django.core import mail
from django.test import Client

from accounts.emails import send_waiting_emails
from accounts.models import User
from sandbox import Sandbox
from tests.marketplace import AURORA_1, EMMA, arrive, follow, proven_owner
from tests.owner_forms import form_action
from tests.working import Work

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


@pytest.fixture
def owner() -> User:
    return proven_owner("olga@example.com", PASSWORD, name="Olga")


def is_signed_in(client: Client) -> bool:
    return client.get("/account/").status_code == 200


def planted() -> Client:
    """Return a browser with a session that an attacker planted and knows."""
    client = Client()
    session = client.session
    session["planted"] = True
    session.save()
    client.cookies["sessionid"] = str(session.session_key)
    return client


@pytest.mark.parametrize(("webhook_endpoint", "staff"), [("/account/sign-in/", False), ("/admin/login/", True)])
def test_a_planted_session_is_not_the_one_signed_in(webhook_endpoint: str, staff: bool) -> None:
    proven_owner("a@b.example", PASSWORD, is_staff=staff)
    victim = planted()
    known = victim.cookies["sessionid"].value
    victim.post(webhook_endpoint, {"username": "a@b.example", "password": PASSWORD})
    assert victim.cookies["sessionid"].value != known
    attacker = Client()
    attacker.cookies["sessionid"] = known
    assert "_auth_user_id" not in attacker.session


def test_an_emails_link_signs_a_planted_session_in_under_another_name(altegio: Sandbox, owner: User) -> None:
    page = arrive(Client(), altegio, AURORA_1, user_id=None)
    Client().post(form_action(page, "link"), {"email": owner.email})
    send_waiting_emails()
    link = next(word for word in mail.outbox[0].body.split() if "/connect/confirm/" in word)
    path = link[link.index("/connect/") :]
    victim = planted()
    known = victim.cookies["sessionid"].value
    assert not is_signed_in(victim)
    victim.get(path)
    assert not is_signed_in(victim), "a visit alone, as of a mail scanner, signs nobody in"
    victim.post(path)
    assert is_signed_in(victim)
    assert victim.cookies["sessionid"].value != known
    assert Client().post(path).status_code == 410, "a link works once"


def test_an_arrival_signs_nobody_in_however_often_it_is_replayed(altegio: Sandbox, work: Work) -> None:
    visitors = [Client(), Client(), Client()]
    arrive(visitors[0], altegio, AURORA_1)
    work()
    for visitor in visitors[1:]:
        status = follow(visitor, altegio, AURORA_1, EMMA)["Location"]
        assert visitor.get(status).status_code == 200
    assert not any(is_signed_in(visitor) or "sessionid" in visitor.cookies for visitor in visitors)


def test_a_new_password_ends_the_sessions_there_are(owner: User) -> None:
    thief = Client()
    thief.post("/account/sign-in/", {"username": owner.email, "password": PASSWORD})
    assert is_signed_in(thief)
    owner.set_password("another battery staple")
    owner.save()
    assert not is_signed_in(thief)


def test_an_unsigned_step_without_our_origin_opens_no_session(altegio: Sandbox, owner: User) -> None:
    """Otherwise another site could sign a visitor in as somebody else (login CSRF)."""
    page = arrive(Client(), altegio, AURORA_1, user_id=None)
    form = {"email": owner.email, "password": PASSWORD}
    for origin in ("https://evil.example", "null", "", "http://localhost.evil.example"):
        victim = Client()
        victim.post(form_action(page, "sign-in"), form, headers={"Origin": origin})
        assert not is_signed_in(victim)
