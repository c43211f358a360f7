"""An unproven person gets nothing: a stranger's earlier steps under an address do not lead to its owner's data.

M is the stranger: Mallory, an Altegio user with her own address.
"""

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts.emails import send_waiting_emails
from accounts.frame_tokens import make_frame_token, owner_of_frame_token
from accounts.models import AltegioIdentity, OutgoingEmail, User
from accounts.proofs import has_proven_address, take_over
from integrations.connect import tokens
from integrations.connect.arrivals import give_to
from integrations.connections.models import Arrival, Connection
from sandbox import Sandbox
from tests.concurrency import at_once
from tests.marketplace import (
    AURORA_1,
    AURORA_2,
    EMMA,
    EMMAS_EMAIL,
    MARIA,
    MEDVED_1,
    arrive,
    follow,
    proven_owner,
    status,
)
from tests.not_none import not_none
from tests.owner_forms import PASSWORD, SIGN_UP, form_action
from tests.response import Response
from tests.security.signing_up import ATTACKERS, OURS, is_signed_in, link_in_email, opened_email, sign_in, sign_up
from tests.working import Work

pytestmark = pytest.mark.django_db


# --- what proves what -----------------------------------------------------------------------------


def test_a_password_opens_nothing_before_the_address_is_proven(altegio: Sandbox) -> None:
    page, _browser = sign_up(altegio, "olga@example.com")
    assert not sign_in(Client(), "olga@example.com")
    form = {"email": "olga@example.com", "password": ATTACKERS}
    assert Client().post(f"{page}sign-in/", form, headers=OURS).status_code == 400
    other = arrive(Client(), altegio, AURORA_1, user_id=None)
    assert Client().post(form_action(other, "sign-in"), form, headers=OURS).status_code == 400


def test_a_person_who_signed_up_in_this_browser_keeps_their_password(altegio: Sandbox) -> None:
    _page, browser = sign_up(altegio, "olga@example.com", PASSWORD)
    assert b'type="password"' not in browser.get(link_in_email()).content
    opened_email(browser=browser)
    assert sign_in(Client(), "olga@example.com", PASSWORD)


def test_in_another_browser_the_reader_chooses_the_password(altegio: Sandbox) -> None:
    sign_up(altegio, "olga@example.com")
    opened_email(PASSWORD)
    assert sign_in(Client(), "olga@example.com", PASSWORD)
    assert not sign_in(Client(), "olga@example.com", ATTACKERS)


def test_a_weak_password_is_reported_and_the_link_stays_valid(altegio: Sandbox) -> None:
    sign_up(altegio, "olga@example.com")
    link = link_in_email()
    assert Client().post(link, {"password": "12345"}).status_code == 400
    assert not has_proven_address(User.objects.get())
    assert Client().post(link, {"password": PASSWORD}).status_code == 303


def test_signing_up_and_in_tells_nobody_whether_an_address_has_an_account(altegio: Sandbox) -> None:
    proven_owner("taken@example.com", PASSWORD)
    answers = []
    for email, location in (("taken@example.com", AURORA_1), ("newer@example.com", AURORA_2)):
        page, _browser = sign_up(altegio, email, location=location)
        answer = Client().post(f"{page}sign-in/", {"email": email, "password": ATTACKERS}, headers=OURS)
        shown = answer.content.decode().replace(email, "").replace(page, "")
        answers.append((answer.status_code, re.sub(r"\d+|<b>[^<]*</b>", "", shown)))
    assert answers[0] == answers[1]


# --- what ends ------------------------------------------------------------------------------------


def test_the_first_proof_ends_whatever_opened_the_account_before(altegio: Sandbox, work: Work) -> None:
    """Mallory signs up as Emma, is linked by hand in the database, and has a frame token."""
    sign_up(altegio, EMMAS_EMAIL)
    account = User.objects.get()
    AltegioIdentity.objects.create(user=account, altegio_user_id=MARIA)
    account.pending_email = "mallory@example.com"
    account.save()
    thief, given = Client(), make_frame_token(account)
    thief.force_login(account)
    send_waiting_emails()

    page = arrive(Client(), altegio, AURORA_1)["Location"]
    Client().post(f"{page}link/")
    opened_email()
    work()
    account.refresh_from_db()
    assert Connection.objects.get(location__altegio_id=AURORA_1).owner == account
    assert [identity.altegio_user_id for identity in account.identities.all()] == [EMMA]
    assert not account.has_usable_password()
    assert User.objects.get(pk=account.pk).pending_email is None
    assert owner_of_frame_token(given) is None
    assert not is_signed_in(thief)
    follow(Client(), altegio, MEDVED_1, MARIA)
    assert Arrival.objects.latest("pk").user != account, "Maria's visit opens an account of her own"


def test_a_new_password_by_email_ends_linked_altegio_users_too(altegio: Sandbox) -> None:
    anna = proven_owner("anna@example.com", PASSWORD)
    AltegioIdentity.objects.create(user=anna, altegio_user_id=MARIA)
    thief = Client()
    assert sign_in(thief, not_none(anna.email), PASSWORD)
    Client().post("/account/reset/", {"email": anna.email})
    browser = Client()
    form = browser.get(link_in_email(), follow=True)
    browser.post(form.redirect_chain[-1][0], {"new_password1": "fresh-pass-42", "new_password2": "fresh-pass-42"})
    assert not is_signed_in(thief)
    assert not AltegioIdentity.objects.exists()
    assert sign_in(Client(), not_none(anna.email), "fresh-pass-42")


def test_claims_before_the_proof_wait_for_the_owner(altegio: Sandbox, work: Work) -> None:
    page, _browser = sign_up(altegio, "olga@example.com")
    Client().post("/account/reset/", {"email": "olga@example.com"})
    browser = Client()
    form = browser.get(link_in_email(), follow=True)
    browser.post(form.redirect_chain[-1][0], {"new_password1": PASSWORD, "new_password2": PASSWORD})
    assert Connection.objects.get().claimant is None
    work()
    assert (Connection.objects.get().state, Connection.objects.get().owner) == ("active", None)
    Client().post(f"{page}sign-in/", {"email": "olga@example.com", "password": PASSWORD})
    assert Connection.objects.get().owner == User.objects.get()


def test_a_confirmed_address_signs_others_out_unless_its_reader_is_signed_in(altegio: Sandbox) -> None:
    mallory = proven_owner("mallory@example.com", ATTACKERS)
    AltegioIdentity.objects.create(user=mallory, altegio_user_id=MARIA)
    browser = Client()
    sign_in(browser, not_none(mallory.email))
    browser.post(reverse("accounts:email"), {"email": "victim@example.com", "old_password": ATTACKERS})
    Client().post(link_in_email())
    assert not is_signed_in(browser)
    assert not sign_in(Client(), "victim@example.com")
    assert not AltegioIdentity.objects.exists()


def test_an_owner_who_confirms_where_they_are_signed_in_loses_nothing(altegio: Sandbox) -> None:
    anna = proven_owner("anna@example.com", PASSWORD)
    AltegioIdentity.objects.create(user=anna, altegio_user_id=MARIA)
    browser = Client()
    sign_in(browser, not_none(anna.email), PASSWORD)
    browser.post(reverse("accounts:email"), {"email": "anna@new.example", "old_password": PASSWORD})
    browser.post(link_in_email())
    assert is_signed_in(browser)
    assert sign_in(Client(), "anna@new.example", PASSWORD)
    assert AltegioIdentity.objects.exists()


def test_a_new_address_set_by_staff_ends_all_access(admin_client: Client, altegio: Sandbox) -> None:
    anna = proven_owner("anna@example.com", PASSWORD)
    AltegioIdentity.objects.create(user=anna, altegio_user_id=MARIA)
    thief = Client()
    sign_in(thief, not_none(anna.email), PASSWORD)
    inline = {"identities-TOTAL_FORMS": "0", "identities-INITIAL_FORMS": "0"}
    form = {"email": "anna@new.example", "is_active": "on", **inline}
    answer = admin_client.post(f"/admin/accounts/user/{anna.pk}/change/", form)
    assert answer.status_code == 302, answer.context["errors"]
    assert User.objects.get(pk=anna.pk).email == "anna@new.example"
    assert not is_signed_in(thief)
    assert not sign_in(Client(), "anna@new.example", PASSWORD)
    assert not AltegioIdentity.objects.exists()


# --- who may act on an arrival --------------------------------------------------------------------


@pytest.fixture
def emma() -> User:
    return proven_owner(EMMAS_EMAIL, PASSWORD)


@pytest.fixture
def mallory() -> User:
    return proven_owner("mallory@example.com", ATTACKERS)


def test_an_arrival_that_expects_emma_is_open_to_nobody_else(
    altegio: Sandbox, work: Work, emma: User, mallory: User
) -> None:
    page = arrive(Client(), altegio, AURORA_1)["Location"]
    arrival = Arrival.objects.get()
    assert arrival.expected_user == emma
    step = reverse("connect:step", args=[tokens.step_token(arrival)])
    form = {"email": mallory.email, "password": ATTACKERS}
    browser = Client(headers=OURS)
    browser.force_login(mallory)
    answers = [
        Client().post(f"{page}sign-in/", form, headers=OURS),
        Client().post(f"{step}sign-in/", form, headers=OURS),
        browser.post(f"{step}continue/"),
        Client().post(reverse("connect:confirm", args=[tokens.link_token(arrival.pk, mallory)])),
    ]
    work()
    assert [answer.status_code for answer in answers] == [409] * 4
    assert not any("sessionid" in answer.cookies for answer in answers)
    assert not AltegioIdentity.objects.exists()
    assert Connection.objects.get().owner is None


def test_an_email_for_a_signed_arrival_goes_to_the_expected_person_alone(
    altegio: Sandbox, emma: User, mallory: User
) -> None:
    page = arrive(Client(), altegio, AURORA_1)["Location"]
    step = reverse("connect:step", args=[tokens.step_token(Arrival.objects.get())])
    for webhook_endpoint in (f"{page}link/", f"{step}link/"):
        Client().post(webhook_endpoint, {"email": mallory.email})
    send_waiting_emails()
    assert [message.to for message in mail.outbox] == [[EMMAS_EMAIL]]
    assert OutgoingEmail.objects.get().person == emma


def test_a_victim_who_presses_a_strangers_email_is_signed_in_and_nothing_else(
    altegio: Sandbox, work: Work, emma: User
) -> None:
    """Mallory requests the e-mail on her own arrival, without Altegio's signature."""
    page = arrive(Client(), altegio, MEDVED_1, user_id=None)
    Client().post(form_action(page, "link"), {"email": EMMAS_EMAIL})
    browser = opened_email()
    work()
    assert not AltegioIdentity.objects.exists()
    assert not Connection.objects.exists()
    assert emma.check_password(PASSWORD)
    assert is_signed_in(browser)


def test_the_emails_reader_says_on_the_arrivals_page_that_it_is_theirs(
    altegio: Sandbox, work: Work, emma: User
) -> None:
    page = arrive(Client(), altegio, AURORA_1, user_id=None)
    Client().post(form_action(page, "link"), {"email": EMMAS_EMAIL})
    browser = Client(headers=OURS)
    forms = browser.post(link_in_email(), follow=True)
    browser.post(form_action(forms, "continue"))
    work()
    assert Connection.objects.get().owner == emma


def test_the_status_page_lets_its_reader_do_nothing(altegio: Sandbox, emma: User) -> None:
    for page in (arrive(Client(), altegio, AURORA_1)["Location"], sign_up(altegio, EMMAS_EMAIL)[0]):
        shown = Client().get(page).content.decode()
        assert "/connect/step/" not in shown
        assert EMMAS_EMAIL not in shown + Client().post(f"{page}link/").content.decode()


def test_one_click_with_an_old_session_links_nobody(altegio: Sandbox, emma: User) -> None:
    arrive(Client(), altegio, AURORA_1)
    step = reverse("connect:step", args=[tokens.step_token(Arrival.objects.get())])
    browser = Client(headers=OURS)
    browser.force_login(emma)
    assert browser.post(f"{step}continue/").status_code == 303
    assert not AltegioIdentity.objects.exists()


def test_an_account_taken_back_during_a_password_check_opens_nothing(
    altegio: Sandbox, emma: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The account is taken over between the password check and the arrival's change."""
    from accounts.sign_in import owner_with_password
    from integrations.connect import views

    page = arrive(Client(), altegio, AURORA_1)["Location"]
    right = owner_with_password

    def checked(*given: Any) -> User:
        user = not_none(right(*given))
        User.objects.filter(pk=user.pk).update(session_epoch=7)
        return user

    monkeypatch.setattr(views, "owner_with_password", checked)
    answer = Client().post(f"{page}sign-in/", {"email": EMMAS_EMAIL, "password": PASSWORD}, headers=OURS)
    assert answer.status_code == 409
    assert not AltegioIdentity.objects.exists()


def test_an_owner_who_signs_up_again_is_not_in_conflict_with_themselves(
    altegio: Sandbox, work: Work, emma: User
) -> None:
    sign_up(altegio, EMMAS_EMAIL, location=AURORA_1)
    again = follow(Client(), altegio, AURORA_1, user_id=None)
    answer = Client().post(form_action(again, "sign-in"), {"email": EMMAS_EMAIL, "password": PASSWORD})
    work()
    assert status(Client(), answer)["state"] == "active"
    assert Connection.objects.get().owner == emma


# --- at the same moment, and what nobody asked for ------------------------------------------------


def test_a_link_of_a_proven_owner_sets_no_password(altegio: Sandbox, emma: User) -> None:
    page = arrive(Client(), altegio, AURORA_1, user_id=None)
    Client().post(form_action(page, "link"), {"email": EMMAS_EMAIL})
    opened_email("chosen by whoever posts it")
    assert sign_in(Client(), EMMAS_EMAIL, PASSWORD)


def test_an_email_is_dropped_if_its_arrival_became_anothers(altegio: Sandbox, emma: User) -> None:
    page = arrive(Client(), altegio, AURORA_1, user_id=None)
    Client().post(form_action(page, "link"), {"email": EMMAS_EMAIL})
    Client().post(form_action(page, "sign-up"), SIGN_UP)
    send_waiting_emails()
    assert [message.to for message in mail.outbox] == [["olga@example.com"]]


def test_a_stranger_with_emmas_address_loses_access_once_she_opens_an_email(altegio: Sandbox, work: Work) -> None:
    """Mallory's signed visit made an account under the address; her claim goes on without an owner."""
    arrive(Client(), altegio, AURORA_1)
    account, given = User.objects.get(), make_frame_token(User.objects.get())
    Client().post("/account/reset/", {"email": EMMAS_EMAIL})
    browser = Client()
    form = browser.get(link_in_email(), follow=True)
    browser.post(form.redirect_chain[-1][0], {"new_password1": PASSWORD, "new_password2": PASSWORD})
    work()
    assert owner_of_frame_token(given) is None
    assert Connection.objects.get().owner is None
    again = follow(Client(), altegio, AURORA_2)
    assert (Arrival.objects.latest("pk").expected_user, "/connect/as/" in again["Location"]) == (account, False)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Move to the beginning of a window in which e-mails are counted."""
    with time_machine.travel(time.time(), tick=False) as clock:
        yield clock


def strangers_ask(altegio: Sandbox, clock: time_machine.Traveller, victim: str) -> None:
    """Let M request every e-mail to the victim again and again: on her own arrival, on new ones, and for resets.

    Those on her own arrival go to nobody; all others that can go out do.
    """
    browser = Client()
    own = arrive(browser, altegio, MEDVED_1, user_id=None)
    browser.post(form_action(own, "sign-up"), SIGN_UP | {"email": "mallory@evil.example"})
    for _ in range(7):
        browser.post(form_action(own, "link"), {"email": victim})
        free = arrive(Client(), altegio, MEDVED_1, user_id=None)
        Client().post(form_action(free, "link"), {"email": victim})
        Client().post("/account/reset/", {"email": victim})
        send_waiting_emails()
        clock.shift(61)
    mail.outbox.clear()


def owners_browser() -> Client:
    return Client(REMOTE_ADDR="198.51.100.7")


def asks_to_sign_in(altegio: Sandbox) -> Response:
    page = follow(owners_browser(), altegio, AURORA_1, user_id=None)
    return owners_browser().post(form_action(page, "link"), {"email": EMMAS_EMAIL})


def asks_to_sign_in_on_a_signed_arrival(altegio: Sandbox) -> Response:
    page = arrive(owners_browser(), altegio, AURORA_1)["Location"]
    return owners_browser().post(f"{page}link/")


def signs_up_again(altegio: Sandbox) -> Response:
    page = follow(owners_browser(), altegio, AURORA_1, user_id=None)
    return owners_browser().post(form_action(page, "sign-up"), SIGN_UP | {"email": EMMAS_EMAIL})


def asks_for_a_reset(_altegio: Sandbox) -> Response:
    return owners_browser().post("/account/reset/", {"email": EMMAS_EMAIL})


def signed_in_asks(url_name: str, **form: str) -> Callable[[Sandbox], Response]:
    def ask(_altegio: Sandbox) -> Response:
        browser = owners_browser()
        assert sign_in(browser, EMMAS_EMAIL, PASSWORD)
        return browser.post(reverse(url_name), form)

    return ask


@pytest.mark.parametrize(
    ("asks", "template", "to"),
    [
        (asks_to_sign_in, "sign_in_link", EMMAS_EMAIL),
        (asks_to_sign_in_on_a_signed_arrival, "sign_in_link", EMMAS_EMAIL),
        (signs_up_again, "sign_in_link", EMMAS_EMAIL),
        (asks_for_a_reset, "password_reset", EMMAS_EMAIL),
        (signed_in_asks("lifecycle:erase-email"), "erase", EMMAS_EMAIL),
        (signed_in_asks("accounts:password-email"), "password_reset", EMMAS_EMAIL),
        (
            signed_in_asks("accounts:email", email="emma@new.example", old_password=PASSWORD),
            "email_confirm",
            "emma@new.example",
        ),
    ],
)
def test_a_strangers_emails_do_not_use_up_an_owners_own(
    altegio: Sandbox,
    emma: User,
    clock: time_machine.Traveller,
    asks: Callable[[Sandbox], Response],
    template: str,
    to: str,
) -> None:
    altegio.grant(AURORA_1, user_id=EMMA)
    for victim in {EMMAS_EMAIL, to}:
        strangers_ask(altegio, clock, victim)
    before = OutgoingEmail.objects.latest("pk").pk
    assert asks(altegio).status_code in (200, 302, 303)
    send_waiting_emails()
    assert [message.to for message in mail.outbox] == [[to]]
    assert OutgoingEmail.objects.get(pk__gt=before).template == template


def test_a_strangers_emails_do_not_use_up_a_new_owners_first(altegio: Sandbox, clock: time_machine.Traveller) -> None:
    strangers_ask(altegio, clock, "olga@example.com")
    sign_up(altegio, "olga@example.com", location=AURORA_1)
    send_waiting_emails()
    assert [message.to for message in mail.outbox] == [["olga@example.com"]]


def test_strangers_can_send_few_emails_to_one_mailbox(
    altegio: Sandbox, emma: User, clock: time_machine.Traveller
) -> None:
    """The limit holds for any number of networks and arrivals."""
    for number in range(10):
        browser = Client(REMOTE_ADDR=f"192.0.{number}.1")
        page = arrive(browser, altegio, MEDVED_1, user_id=None)
        browser.post(form_action(page, "link"), {"email": EMMAS_EMAIL})
        browser.post("/account/reset/", {"email": EMMAS_EMAIL.upper()})
        send_waiting_emails()
        clock.shift(61)
    sent = Counter(OutgoingEmail.objects.exclude(sent_at=None).values_list("template", flat=True))
    assert sent == {"sign_in_link": 6, "password_reset": 6}


def test_address_changes_to_one_mailbox_are_limited_and_the_excess_is_reported(
    clock: time_machine.Traveller,
) -> None:
    for number in range(8):
        owner = proven_owner(f"{number}@owner.example", PASSWORD)
        browser = Client()
        browser.force_login(owner)
        form = {"email": "victim@example.com", "old_password": PASSWORD}
        answer = browser.post(reverse("accounts:email"), form)
        owner.refresh_from_db()
        is_refused, is_pending = answer.status_code == 429, owner.pending_email is not None
        assert (is_refused, is_pending) == (number >= 6, number < 6)
    assert OutgoingEmail.objects.count() == 6


def test_excess_requests_on_an_arrival_are_reported_for_every_address(
    altegio: Sandbox, emma: User, clock: time_machine.Traveller
) -> None:
    for email in (EMMAS_EMAIL, "nobody@owner.example"):
        page = arrive(Client(), altegio, MEDVED_1, user_id=None)
        status_page = Client().post(form_action(page, "sign-up"), SIGN_UP | {"email": email})["Location"]
        answers = [Client().post(f"{status_page}link/").status_code for _ in range(5)]
        assert answers == [200] * 3 + [429] * 2


@pytest.mark.django_db(transaction=True)
def test_an_account_taken_over_while_another_signs_in_keeps_no_link(altegio: Sandbox) -> None:
    """Whichever comes first, the link is gone or was never made."""
    for _round in range(5):
        emma = proven_owner(EMMAS_EMAIL, PASSWORD)
        arrive(Client(), altegio, AURORA_1)
        arrival, known = Arrival.objects.latest("pk"), User.objects.get(pk=emma.pk)
        signs_in = partial(give_to, arrival, known, is_just_proven=True)
        at_once(signs_in, partial(take_over, emma, password="another-one"))
        assert not AltegioIdentity.objects.exists()
        Arrival.objects.all().delete()
        User.objects.filter(pk=emma.pk).update(email=None)


# --- linked Altegio users -------------------------------------------------------------------------


def test_a_new_link_is_shown_and_announced_and_can_be_revoked(altegio: Sandbox, emma: User) -> None:
    page = arrive(Client(), altegio, AURORA_1)["Location"]
    browser, phone = Client(headers=OURS), Client()
    sign_in(phone, not_none(emma.email), PASSWORD)
    browser.post(f"{page}sign-in/", {"email": EMMAS_EMAIL, "password": PASSWORD})
    send_waiting_emails()
    assert (mail.outbox[-1].to, str(EMMA) in mail.outbox[-1].body) == ([EMMAS_EMAIL], True)
    assert str(EMMA) in browser.get("/account/me/").content.decode()
    given = make_frame_token(User.objects.get())

    browser.post(reverse("accounts:unlink", args=[emma.identities.get().pk]))
    assert not emma.identities.exists()
    assert (is_signed_in(browser), is_signed_in(phone), owner_of_frame_token(given)) == (True, False, None)
    follow(Client(), altegio, AURORA_2)
    assert Arrival.objects.latest("pk").expected_user == emma


def test_nobody_unlinks_another_persons_user(emma: User, mallory: User) -> None:
    identity = AltegioIdentity.objects.create(user=emma, altegio_user_id=EMMA)
    browser = Client()
    browser.force_login(mallory)
    browser.post(reverse("accounts:unlink", args=[identity.pk]))
    assert AltegioIdentity.objects.exists()
