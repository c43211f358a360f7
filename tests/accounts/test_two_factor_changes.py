"""Setting up a second factor needs a link; changing it needs both factors and ends the person's other sessions."""

import json
from functools import partial

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.confirmation_links import state_of
from accounts.emails import send_waiting_emails
from accounts.models import Authenticator, User
from accounts.totp import new_key
from accounts.two_factor.setup import link_for, send_link
from tests.accounts.two_factor import (
    PAGE,
    PASSWORD,
    code_of,
    codes_on,
    enters,
    enters_with,
    later,
    link_in_email,
    present_code,
    set_up,
    show_key,
    sign_in,
    type_code,
)
from tests.concurrency import at_once

pytestmark = pytest.mark.django_db
QR = 'class="qr"'


@pytest.fixture
def anna() -> User:
    return User.objects.create_superuser("anna@partner.example", PASSWORD)


@pytest.fixture
def boris(anna: User) -> User:
    return User.objects.create_user("boris@partner.example", PASSWORD, is_staff=True)


def subjects_to(user: User) -> list[str]:
    send_waiting_emails()
    return [str(outgoing_email.subject) for outgoing_email in mail.outbox if outgoing_email.to == [user.email]]


# --- the first phone ------------------------------------------------------------------------------
@pytest.mark.parametrize("demanded", [True, False])
def test_the_password_alone_sets_nothing_up(anna: User, settings: Settings, demanded: bool) -> None:
    settings.STAFF_TWO_FACTOR = demanded
    client = sign_in(anna)
    page = client.get(PAGE).content.decode()
    assert "two_factor_link anna@partner.example" in page
    assert QR not in page
    key = new_key()
    client.post(PAGE, {"code": code_of(key), "key": key, "do": "replace", "password": PASSWORD})
    assert not Authenticator.objects.exists()
    assert enters(client) is not demanded


def test_the_setting_leads_staff_to_the_page_and_the_link_to_the_set_up(anna: User, settings: Settings) -> None:
    settings.STAFF_TWO_FACTOR = True
    client = sign_in(anna)
    page = client.get("/admin/connections/connection/", follow=True)
    assert page.redirect_chain[-1][0].startswith(PAGE)
    send_link(anna)
    page = client.get(link_in_email(), follow=True)
    assert page.redirect_chain == [(PAGE, 302)], "the token is gone from the address"
    assert QR in page.content.decode()
    assert "no-store" in page.headers["Cache-Control"]


def test_the_link_asks_for_the_password_first(anna: User) -> None:
    send_link(anna)
    link = link_in_email()
    client = Client()
    to_sign_in = client.get(link)
    assert to_sign_in.headers["Location"].startswith("/admin/login/")
    page = client.post(to_sign_in.headers["Location"], {"username": anna.email, "password": PASSWORD}, follow=True)
    assert QR in page.content.decode()


def test_the_key_is_shown_to_the_session_with_the_link_alone(anna: User, settings: Settings) -> None:
    """Somebody who knows the password may type codes at the same time: they see nothing and set up nothing."""
    settings.STAFF_TWO_FACTOR = True
    send_link(anna)
    mine, stranger = sign_in(anna), sign_in(anna)
    mine.get(link_in_email())
    key = show_key(mine)
    for _ in range(2):
        page = type_code(stranger, "000000")
        assert key not in page
        assert QR not in page
    type_code(stranger, code_of(key))
    assert not Authenticator.objects.exists()
    assert key in type_code(mine, "000000"), "a wrong code shows the same key again"
    stored = [json.dumps(session.get_decoded()) for session in Session.objects.all()]
    assert stored
    assert not [content for content in stored if key in content]


def test_two_sessions_with_the_link_have_keys_of_their_own(anna: User) -> None:
    send_link(anna)
    link = link_in_email()
    one, other = sign_in(anna), sign_in(anna)
    one.get(link)
    other.get(link)
    key = show_key(one)
    assert key != show_key(other)
    type_code(other, code_of(key))
    assert not Authenticator.objects.exists()


def test_a_key_that_was_shown_and_left_is_replaced(anna: User) -> None:
    send_link(anna)
    client = sign_in(anna)
    client.get(link_in_email())
    old = show_key(client)
    show_key(client)
    type_code(client, code_of(old))
    assert not Authenticator.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_one_of_two_simultaneous_set_ups_wins(anna: User) -> None:
    send_link(anna)
    link = link_in_email()
    clients = [sign_in(anna) for _number in range(4)]
    for client in clients:
        client.get(link)
    codes = [code_of(show_key(client)) for client in clients]
    pages = at_once(*[partial(type_code, *each) for each in zip(clients, codes, strict=True)])
    assert sorted(len(codes_on(page)) for page in pages) == [0, 0, 0, 8]
    assert sorted(enters(client) for client in clients) == [False, False, False, True]
    assert Authenticator.objects.count() == 1


def test_the_link_works_once_also_after_the_phone_was_removed(anna: User, boris: User) -> None:
    send_link(boris)
    link = link_in_email()
    set_up(boris)
    assert sign_in(boris).get(link).status_code == 410
    remove_phone(sign_in(anna), boris)
    assert sign_in(boris).get(link).status_code == 410


def test_the_link_ends_after_a_day(anna: User) -> None:
    send_link(anna)
    link = link_in_email()
    with later(24 * 3600 + 60):
        assert sign_in(anna).get(link).status_code == 410


def test_the_link_ends_with_a_new_password(anna: User) -> None:
    send_link(anna)
    link = link_in_email()
    anna.set_password("another horse")
    anna.save()
    assert sign_in(anna, "another horse").get(link).status_code == 410


def test_the_link_belongs_to_one_person(anna: User, boris: User) -> None:
    send_link(boris)
    link = link_in_email()
    client = sign_in(anna)
    assert client.get(link).status_code == 410
    assert QR not in client.get(PAGE).content.decode()


@pytest.mark.parametrize("token", ["x", "WzEsIngiXQ:1:x", "{}".format("a" * 5000)])
def test_a_made_up_link_opens_nothing(anna: User, token: str) -> None:
    assert sign_in(anna).get(f"/admin/two-factor/link/{token}/").status_code == 410


def test_the_set_up_that_a_link_opened_ends_after_an_hour(anna: User) -> None:
    send_link(anna)
    client = sign_in(anna)
    client.get(link_in_email())
    key = show_key(client)
    with later(3700):
        type_code(client, code_of(key))
    assert not Authenticator.objects.exists()


# --- administrators -------------------------------------------------------------------------------
def act(client: Client, model: str, action: str, *rows: int) -> str:
    data = {"action": action, "_selected_action": [str(row) for row in rows], "confirmed": "yes"}
    return client.post(f"/admin/accounts/{model}/", data, follow=True).content.decode()


def remove_phone(administrator: Client, user: User) -> str:
    return act(administrator, "authenticator", "forget", Authenticator.objects.get(user=user).pk)


def test_an_administrator_sends_the_link(anna: User, boris: User) -> None:
    page = sign_in(anna).get(f"/admin/accounts/user/{boris.pk}/change/").content.decode()
    assert 'value="send_set_up_link"' in page
    act(sign_in(anna), "user", "send_set_up_link", boris.pk)
    assert subjects_to(boris) == ["Set up two-factor sign-in"]
    assert LogEntry.objects.get().object_id == str(boris.pk)


def test_owners_and_members_with_a_phone_get_no_link(anna: User, boris: User) -> None:
    owner = User.objects.create_user("owner@salon.example", PASSWORD)
    set_up(boris)
    mail.outbox.clear()
    client = sign_in(anna)
    for unfit in (owner, boris):
        assert str(unfit) in act(client, "user", "send_set_up_link", unfit.pk)
        assert "Set up two-factor sign-in" not in subjects_to(unfit)
        page = client.get(f"/admin/accounts/user/{unfit.pk}/change/").content.decode()
        assert 'value="send_set_up_link"' not in page


def test_an_administrator_removes_a_lost_phone(anna: User, boris: User) -> None:
    session, _codes = set_up(boris)
    administrator = sign_in(anna)
    assert Authenticator.objects.get().key not in administrator.get("/admin/accounts/authenticator/").content.decode()
    remove_phone(administrator, boris)
    assert not enters(session)
    assert "Set up two-factor sign-in" in subjects_to(boris)
    assert "Your two-factor sign-in was changed" in subjects_to(boris)
    assert LogEntry.objects.filter(user=anna).exists()
    client = sign_in(boris)
    client.get(link_in_email())
    assert len(codes_on(type_code(client, code_of(show_key(client))))) == 8


def test_nobody_removes_their_own_phone_without_a_code(anna: User) -> None:
    client, _codes = set_up(anna)
    assert "asks for a code" in remove_phone(client, anna)
    assert Authenticator.objects.exists()


def test_the_first_administrator_gets_the_link_on_the_server(
    capsys: pytest.CaptureFixture[str], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.STAFF_TWO_FACTOR = True
    monkeypatch.setenv("DJANGO_SUPERUSER_EMAIL", "first@partner.example")
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    call_command("createsuperuser", "--noinput")
    first = User.objects.get()
    capsys.readouterr()
    call_command("two_factor_link", "First@partner.example")
    link = capsys.readouterr().out.strip()
    client = sign_in(first)
    client.get(link.removeprefix(settings.PORTAL_URL))
    type_code(client, code_of(show_key(client)))
    assert enters(client)


def test_the_command_says_what_stands_in_the_way(anna: User) -> None:
    with pytest.raises(CommandError, match="createsuperuser"):
        call_command("two_factor_link", "nobody@partner.example")
    set_up(anna)
    with pytest.raises(CommandError, match="--phone-lost"):
        call_command("two_factor_link", anna.email)


def test_the_command_replaces_the_last_administrators_phone(
    anna: User, capsys: pytest.CaptureFixture[str], settings: Settings
) -> None:
    session, _codes = set_up(anna)
    capsys.readouterr()
    call_command("two_factor_link", anna.email, "--phone-lost")
    assert not enters(session)
    assert not Authenticator.objects.exists()
    client = sign_in(anna)
    client.get(capsys.readouterr().out.strip().removeprefix(settings.PORTAL_URL))
    type_code(client, code_of(show_key(client)))
    assert Authenticator.objects.count() == 1


# --- what weakens it ------------------------------------------------------------------------------
def change(client: Client, what: str, password: str, code: str) -> str:
    return client.post(PAGE, {"do": what, "password": password, "code": code}, follow=True).content.decode()


@pytest.mark.parametrize("what", ["codes", "replace", ""])
@pytest.mark.parametrize("lacking", ["both", "code", "password"])
def test_changing_asks_for_both_factors_again(anna: User, what: str, lacking: str) -> None:
    client, codes = set_up(anna)
    password = "" if lacking in ("both", "password") else PASSWORD
    code = "000000" if lacking in ("both", "code") else codes[0]
    page = change(client, what, password, code)
    assert codes_on(page) == []
    assert QR not in page
    with later(30):  # after the pause that a wrong code costs
        assert enters_with(sign_in(anna), codes[1]), "the codes are the old ones"


def test_new_backup_codes_end_old_ones_and_other_sessions_and_are_announced(anna: User) -> None:
    client, old = set_up(anna)
    other = sign_in(anna)
    assert enters_with(other, old[0])
    send_waiting_emails()
    mail.outbox.clear()
    new = codes_on(change(client, "codes", PASSWORD, old[1]))
    assert len(new) == 8
    assert enters(client)
    assert not enters(other)
    assert subjects_to(anna) == ["Your two-factor sign-in was changed"]
    assert not enters_with(sign_in(anna), old[2])
    with later(10):
        assert enters_with(sign_in(anna), new[0])


def test_another_phone_counts_from_its_first_code_and_the_old_one_till_then(anna: User) -> None:
    client, codes = set_up(anna)
    other = sign_in(anna)
    assert enters_with(other, codes[0])
    old_key = Authenticator.objects.get().key
    assert QR in change(client, "replace", PASSWORD, codes[1])
    assert Authenticator.objects.get().key == old_key
    assert len(codes_on(type_code(client, code_of(show_key(client))))) == 8
    assert Authenticator.objects.get().key != old_key
    assert enters(client)
    assert not enters(other)


def test_keeping_the_phone_asks_for_both_factors_at_the_next_try(anna: User) -> None:
    client, codes = set_up(anna)
    change(client, "replace", PASSWORD, codes[0])
    client.post(PAGE, {"do": "keep"})
    assert QR not in client.get(PAGE).content.decode()


def test_the_first_code_ends_the_sessions_that_had_the_password_alone(anna: User) -> None:
    before = sign_in(anna)
    set_up(anna)
    assert "_auth_user_id" in before.session
    assert before.get("/admin/").headers["Location"].startswith("/admin/login/")


def test_the_present_code_proves_it_too(anna: User) -> None:
    client, _codes = set_up(anna)
    with later(60):
        assert len(codes_on(change(client, "codes", PASSWORD, present_code(anna)))) == 8


def test_wrong_codes_while_changing_count_like_those_of_a_sign_in(anna: User) -> None:
    client, codes = set_up(anna)
    for _ in range(10):
        change(client, "codes", PASSWORD, "000000")
    assert not enters_with(sign_in(anna), codes[0])


def test_a_link_made_for_an_old_state_is_of_no_use(anna: User) -> None:
    link = link_for(anna.pk, state_of(anna))
    set_up(anna)
    assert sign_in(anna).get(link.removeprefix("http://localhost:8000")).status_code == 410
