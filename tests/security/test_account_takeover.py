"""Nobody takes an account over, from an open browser, by a late e-mail or by simultaneous actions."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts.confirmation_links import opened
from accounts.email_change import EmailChangeCancelledError, request_email_change, take_address
from accounts.email_rendering import render
from accounts.emails import send_waiting_emails
from accounts.erasure import erase_person
from accounts.frame_tokens import make_frame_token
from accounts.models import OutgoingEmail, User
from accounts.proofs import take_over
from accounts.sign_in import is_own_password
from integrations.connections.models import Arrival
from sandbox import Sandbox
from tests.clock import later
from tests.marketplace import AURORA_1, EMMAS_EMAIL, arrive, proven_owner
from tests.not_none import not_none
from tests.owner_forms import SIGN_UP, form_action
from tests.working import Work

pytestmark = pytest.mark.django_db
PASSWORD, CHOSEN = "correct horse battery", "what the thief chose"
OURS = {"Origin": "http://testserver"}


@pytest.fixture
def emma() -> User:
    """Return Emma, who came with Altegio's signature and has no password."""
    return User.objects.create_user("emma@owner.example")


@pytest.fixture
def anna() -> User:
    return proven_owner("anna@owner.example", PASSWORD)


@pytest.fixture
def left_open(emma: User) -> Client:
    """Return Emma's browser, left open long after she last did something in it."""
    browser = Client()
    browser.force_login(emma)
    return browser


def choose_password(browser: Client) -> None:
    browser.post(reverse("accounts:password"), {"new_password1": CHOSEN, "new_password2": CHOSEN})


def links_by_address() -> dict[str, str]:
    send_waiting_emails()
    return {
        outgoing_email.to[0]: found[1]
        for outgoing_email in mail.outbox
        if (found := re.search(r"http://localhost:8000(/account/\S+)", str(outgoing_email.body)))
    }


# --- a browser left open --------------------------------------------------------------------------


def test_an_open_browser_without_a_password_does_not_change_the_address(left_open: Client, emma: User) -> None:
    with later(minutes=16):
        answer = left_open.post(reverse("accounts:email"), {"email": "thief@evil.example"})
    assert answer.status_code == 200
    emma.refresh_from_db()
    assert emma.pending_email is None
    assert not OutgoingEmail.objects.exists()


def test_one_click_on_an_arrival_is_no_new_sign_in(left_open: Client, emma: User, altegio: Sandbox) -> None:
    with later(minutes=16):
        page = arrive(left_open, altegio, AURORA_1, user_id=None)
        assert left_open.post(form_action(page, "continue"), headers=OURS).status_code == 303
        choose_password(left_open)
    emma.refresh_from_db()
    assert not emma.has_usable_password()


def test_a_frame_token_is_no_sign_in(emma: User) -> None:
    browser = Client(headers={"Sec-Fetch-Dest": "iframe", **OURS})
    chosen = {"new_password1": CHOSEN, "new_password2": CHOSEN, "email": "thief@evil.example"}
    for page in ("me/password/", "me/email/", "me/erase/", "me/download/", "me/sign-out-everywhere/"):
        browser.post(f"/connect/as/{make_frame_token(emma)}/account/{page}", chosen)
    browser.get(f"/connect/as/{make_frame_token(emma)}/account/me/")
    assert "_auth_user_id" not in browser.session
    choose_password(browser)
    emma.refresh_from_db()
    assert (emma.has_usable_password(), emma.pending_email, emma.is_active) == (False, None, True)


def test_another_owners_fresh_session_does_not_count_for_a_frame_token(emma: User, anna: User) -> None:
    """Emma's frame token is used in the browser of Anna, who has just signed in."""
    browser = Client(headers=OURS)
    browser.force_login(anna)
    browser.get(f"/connect/as/{make_frame_token(emma)}/account/me/")
    browser.post(f"/connect/as/{make_frame_token(emma)}/account/me/password/", {"new_password1": CHOSEN})
    emma.refresh_from_db()
    assert not emma.has_usable_password()
    assert browser.get("/account/me/").context["owner"] == anna


# --- e-mails that go out late ---------------------------------------------------------------------


def test_an_email_confirms_only_the_address_it_was_sent_to(anna: User) -> None:
    request_email_change(anna, "mallory@evil.example")
    request_email_change(anna, "victim@owner.example")
    links = links_by_address()
    assert Client().post(links["mallory@evil.example"]).status_code == 410
    anna.refresh_from_db()
    assert anna.email == "anna@owner.example"
    assert Client().post(links["victim@owner.example"]).status_code == 200


def test_a_pending_address_ends_when_the_password_changes(anna: User) -> None:
    """The e-mail may be delayed: a mailbox may refuse e-mails for a while."""
    request_email_change(anna, "mallory@evil.example")
    take_over(anna)
    assert Client().post(links_by_address()["mallory@evil.example"]).status_code == 410


def test_a_link_opened_before_an_erasure_restores_nothing(anna: User) -> None:
    request_email_change(anna, "anna@new.example")
    token = links_by_address()["anna@new.example"].rstrip("/").rsplit("/", 1)[1]
    as_opened = not_none(opened(token, "email"))
    erase_person(anna)
    with pytest.raises(EmailChangeCancelledError):
        take_address(as_opened, is_owner=True)
    anna.refresh_from_db()
    assert anna.email is None


def test_the_owner_keeps_the_address_though_the_link_is_opened_at_that_moment(anna: User) -> None:
    request_email_change(anna, "anna@new.example")
    as_opened = User.objects.get()
    User.objects.update(pending_email=None)
    with pytest.raises(EmailChangeCancelledError):
        take_address(as_opened, is_owner=True)
    anna.refresh_from_db()
    assert anna.email == "anna@owner.example"


@pytest.mark.parametrize("page", ["email", "erase"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_a_mail_scanner_that_follows_a_link_confirms_nothing(anna: User, page: str, method: str) -> None:
    request_email_change(anna, "anna@new.example")
    browser = Client()
    browser.force_login(anna)
    browser.post(reverse("lifecycle:erase-email"))
    links = links_by_address()
    link = links["anna@new.example" if page == "email" else not_none(anna.email)]
    Client().generic(method, link)
    anna.refresh_from_db()
    assert (anna.email, anna.is_active) == ("anna@owner.example", True)


@pytest.mark.parametrize("page", ["email", "erase"])
def test_another_site_does_not_press_the_button_behind_a_link(anna: User, page: str) -> None:
    request_email_change(anna, "anna@new.example")
    browser = Client()
    browser.force_login(anna)
    browser.post(reverse("lifecycle:erase-email"))
    link = links_by_address()["anna@new.example" if page == "email" else not_none(anna.email)]
    assert Client(enforce_csrf_checks=True).post(link).status_code == 403
    anna.refresh_from_db()
    assert (anna.email, anna.is_active) == ("anna@owner.example", True)


@pytest.mark.parametrize("name", ["Prize: https://evil.example", "evil.example", "write to x@evil.example", "//evil"])
def test_a_name_sends_nobody_elsewhere(altegio: Sandbox, name: str) -> None:
    """A person who signs up under another's address chooses the name in the e-mails to it."""
    victim = proven_owner("victim@owner.example", PASSWORD, name=name)
    page = arrive(Client(), altegio, AURORA_1, user_id=None)
    Client().post(form_action(page, "link"), {"email": victim.email})
    request_email_change(victim, "other@owner.example")
    for outgoing_email in OutgoingEmail.objects.all():
        outgoing_email.person = victim
        message = render(outgoing_email)
        for text in (message.body, str(message.alternatives[0][0])):
            assert "evil" not in text
    assert OutgoingEmail.objects.count() == 2


# --- an account made in advance -------------------------------------------------------------------


def test_an_account_made_in_advance_shows_nothing_of_who_arrives_later(altegio: Sandbox, work: Work) -> None:
    """Emma comes signed by Altegio; a stranger has signed up under her address before."""
    page = arrive(Client(), altegio, AURORA_1, user_id=None)
    Client().post(form_action(page, "sign-up"), SIGN_UP | {"email": EMMAS_EMAIL})
    stranger = Client()
    stranger.force_login(User.objects.get())
    arrive(Client(), altegio, 10102)
    work()
    hers = Arrival.objects.get(expected_user=User.objects.get())
    taken = stranger.get(reverse("accounts:download")).json()
    assert len(taken["arrivals"]) == 1
    assert str(hers.altegio_user_id) not in str(taken)


# --- what happens at once -------------------------------------------------------------------------


def test_simultaneous_passwords_in_an_open_browser_are_all_counted(
    anna: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty passwords come at once, and no more than ten are checked."""
    looked_at: list[str] = []
    together = threading.Barrier(20)

    def check(_self: object, given: str) -> bool:
        looked_at.append(given)
        return False

    monkeypatch.setattr(User, "check_password", check)

    def guess(number: int) -> bool:
        together.wait(timeout=10)
        return is_own_password(anna, f"guess {number}")

    with ThreadPoolExecutor(20) as threads:
        assert not any(threads.map(guess, range(20)))
    assert len(looked_at) == 10


def test_the_right_password_uses_no_attempts(anna: User) -> None:
    assert all(is_own_password(anna, PASSWORD) for _ in range(15))
