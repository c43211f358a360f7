"""An owner without user data connects by sign-up, sign-in, a link by e-mail or one click, without cookies."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.emails import send_waiting_emails
from accounts.models import User
from integrations.connections.models import Arrival, Connection
from sandbox import Sandbox
from tests.marketplace import AURORA_1, AURORA_2, arrive, follow, proven_owner, status
from tests.not_none import not_none
from tests.owner_forms import PASSWORD, SIGN_UP, form_action
from tests.response import Response
from tests.working import Work

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> User:
    return proven_owner("olga@example.com", PASSWORD, name="Olga")


def test_sign_up_ends_at_the_status_page_and_the_location_is_theirs(altegio: Sandbox, work: Work) -> None:
    page = arrive(Client(), altegio, AURORA_1, user_id=None)
    answer = Client().post(form_action(page, "sign-up"), SIGN_UP)
    assert answer.status_code == 303
    work()

    assert status(Client(), answer)["state"] == "active"
    assert not_none(Connection.objects.get().owner).email == "olga@example.com"


def test_sign_in_ends_at_the_status_page_and_the_location_is_theirs(
    altegio: Sandbox, work: Work, owner: User
) -> None:
    page = arrive(Client(), altegio, AURORA_1, user_id=None)
    answer = Client().post(form_action(page, "sign-in"), {"email": "OLGA@example.com", "password": PASSWORD})
    work()

    assert status(Client(), answer)["state"] == "active"
    assert Connection.objects.get().owner == owner


def test_a_wrong_password_is_reported_and_nothing_is_claimed(altegio: Sandbox, owner: User) -> None:
    page = arrive(Client(), altegio, AURORA_1, user_id=None)
    answer = Client().post(form_action(page, "sign-in"), {"email": owner.email, "password": "wrong"})

    assert answer.status_code == 400
    assert "do not belong together" in answer.content.decode()
    assert not Connection.objects.exists()


def test_a_taken_email_is_answered_like_a_new_one(altegio: Sandbox, work: Work, owner: User) -> None:
    new = arrive(Client(), altegio, AURORA_1, user_id=None)
    taken = arrive(Client(), altegio, AURORA_2, user_id=None)
    first = Client().post(form_action(new, "sign-up"), {**SIGN_UP, "email": "new@example.com"})
    second = Client().post(form_action(taken, "sign-up"), SIGN_UP)
    work()

    assert (first.status_code, dict(first.cookies)) == (second.status_code, dict(second.cookies))
    assert status(Client(), first)["state"] == status(Client(), second)["state"] == "active"
    shown = [_without_numbers(Client().get(answer["Location"])) for answer in (first, second)]
    assert shown[0] == shown[1]
    assert Connection.objects.get(location__altegio_id=AURORA_2).owner is None, "nobody's until the owner signs in"


def _without_numbers(page: Response) -> str:
    return re.sub(r"/connect/status/[^\"]*|\d+|<bdi>[^<]*</bdi>", "", page.content.decode())


def test_the_email_leads_the_owner_of_a_taken_email_in(altegio: Sandbox, work: Work, owner: User) -> None:
    page = arrive(Client(), altegio, AURORA_1, user_id=None)
    Client().post(form_action(page, "sign-up"), SIGN_UP)
    work()
    send_waiting_emails()
    link = not_none(re.search(r"http://localhost:8000(/connect/confirm/\S+)", str(mail.outbox[0].body))).group(1)

    browser = Client()
    assert browser.get(link).status_code == 200
    assert Connection.objects.get().owner is None, "a mail scanner's visit changes nothing"
    browser.post(link)
    assert Connection.objects.get().owner == owner
    assert Client().post(link).status_code == 410, "a link works once"


def test_the_link_is_sent_to_owners_alone_and_answered_alike(altegio: Sandbox, owner: User) -> None:
    User.objects.create_user("staff@example.com", PASSWORD, is_staff=True)
    page = arrive(Client(), altegio, AURORA_1, user_id=None)
    link_form = form_action(page, "link")
    answers = [
        Client().post(link_form, {"email": email}).content.decode().replace(email, "")
        for email in ("olga@example.com", "staff@example.com", "nobody@example.com")
    ]
    send_waiting_emails()

    assert answers[0] == answers[1] == answers[2]
    assert [message.to for message in mail.outbox] == [["olga@example.com"]]


def test_a_signed_in_owner_needs_one_click(altegio: Sandbox, work: Work, owner: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(owner)
    page = arrive(browser, altegio, AURORA_1, user_id=None)
    csrf = not_none(re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.content.decode())).group(1)
    answer = browser.post(form_action(page, "continue"), {"csrfmiddlewaretoken": csrf})
    work()

    assert status(browser, answer)["state"] == "active"
    assert Connection.objects.get().owner == owner


def test_one_click_of_another_site_does_nothing(altegio: Sandbox, owner: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(owner)
    page = arrive(browser, altegio, AURORA_1, user_id=None)
    assert browser.post(form_action(page, "continue")).status_code == 403


def test_reloading_the_form_does_not_restart_the_window(altegio: Sandbox) -> None:
    browser = Client()
    arrive(browser, altegio, AURORA_1, user_id=None)
    with time_machine.travel(timezone.now() + timedelta(minutes=10)):
        follow(browser, altegio, AURORA_1, user_id=None)
    assert Arrival.objects.get().visits == 2


def test_a_sign_up_after_the_window_shows_the_reconnect_link(altegio: Sandbox, work: Work) -> None:
    page = arrive(Client(), altegio, AURORA_1, user_id=None)
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        answer = Client().post(form_action(page, "sign-up"), SIGN_UP)
        work()
        shown = status(Client(), answer)

    assert shown["state"] == "expired"
    assert altegio.requests() == []


def test_an_old_step_says_what_to_do(altegio: Sandbox) -> None:
    page = arrive(Client(), altegio, AURORA_1, user_id=None)
    with time_machine.travel(timezone.now() + timedelta(hours=3)):
        answer = Client().post(form_action(page, "sign-up"), SIGN_UP)
    assert answer.status_code == 410
    assert b"Altegio" in answer.content


def test_nobody_takes_over_anothers_arrival(altegio: Sandbox, work: Work, owner: User) -> None:
    page = arrive(Client(), altegio, AURORA_1, user_id=None)
    Client().post(form_action(page, "sign-up"), {**SIGN_UP, "email": "first@example.com"})
    answer = Client().post(form_action(page, "sign-in"), {"email": owner.email, "password": PASSWORD})
    work()

    assert answer.status_code == 409
    assert not_none(Connection.objects.get().owner).email == "first@example.com"


@pytest.mark.parametrize("missing", ["name", "email", "password"])
def test_a_form_with_a_gap_says_where(altegio: Sandbox, missing: str) -> None:
    page = arrive(Client(), altegio, AURORA_1, user_id=None)
    answer = Client().post(form_action(page, "sign-up"), {**SIGN_UP, missing: ""})
    assert answer.status_code == 400
    assert missing in answer.context["sign_up"].errors


def test_only_altegio_may_frame_the_connect_pages(altegio: Sandbox, client: Client, settings: Settings) -> None:
    page = arrive(client, altegio, AURORA_1, user_id=None)
    assert "frame-ancestors https://app.alteg.io https://*.alteg.io" in page["Content-Security-Policy"]
    assert "X-Frame-Options" not in page
    assert client.get("/account/sign-in/")["X-Frame-Options"] == "DENY"
