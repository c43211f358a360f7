"""Owners change, download and erase their own data, and end their sessions."""

import json
import re
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.emails import send_waiting_emails
from accounts.models import OutgoingEmail, User
from integrations.connections.models import Chain, Connection, Installation
from sandbox import Sandbox
from tests.clock import later
from tests.marketplace import AURORA_1, AURORA_2, EMMAS_EMAIL, arrive, proven_owner
from tests.response import Response
from tests.working import Work

pytestmark = pytest.mark.django_db
PASSWORD, NEW_PASSWORD = "correct horse battery", "another horse battery"


@pytest.fixture
def anna() -> User:
    return proven_owner("anna@example.com", PASSWORD, name="Anna", phone="+36205550101")


def signed_in(user: User, password: str = PASSWORD) -> Client:
    client = Client()
    client.post(reverse("accounts:sign-in"), {"username": user.email, "password": password})
    return client


@pytest.fixture
def browser(anna: User) -> Client:
    return signed_in(anna)


def is_signed_in(client: Client) -> bool:
    return client.get(reverse("accounts:me")).status_code == 200


def link_in_email() -> str:
    send_waiting_emails()
    found = re.search(r"http://localhost:8000(/account/\S+)", str(mail.outbox[-1].body))
    assert found
    return found[1]


PAGES = [
    "accounts:home", "accounts:me", "accounts:email", "accounts:password", "accounts:download", "lifecycle:erase",
    "billing:subscriptions", "billing:payments", "sender_names:list", "telephony:list",
]  # fmt: skip


@pytest.mark.parametrize("name", PAGES)
def test_every_page_needs_a_sign_in_and_is_cached_by_nobody(client: Client, browser: Client, name: str) -> None:
    assert client.get(reverse(name))["Location"].startswith(reverse("accounts:sign-in"))
    answer = browser.get(reverse(name))
    assert answer.status_code == 200
    assert {"private", "no-store"} <= set(answer["Cache-Control"].split(", "))


@pytest.mark.parametrize("name", PAGES)
def test_staff_are_sent_to_their_own_pages(client: Client, name: str) -> None:
    client.force_login(User.objects.create_superuser("staff@example.com", PASSWORD))
    assert client.get(reverse(name))["Location"] == reverse("admin:index")


CHANGES = ["me", "email", "email-keep", "password", "password-email", "sign-out-everywhere"]


@pytest.mark.parametrize("name", CHANGES)
def test_no_change_without_a_csrf_token(anna: User, name: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(anna)
    assert client.post(reverse(f"accounts:{name}")).status_code == 403


@pytest.mark.parametrize("name", ["email-keep", "password-email", "sign-out-everywhere"])
def test_a_look_changes_nothing(browser: Client, name: str) -> None:
    assert browser.get(reverse(f"accounts:{name}")).status_code == 405


def test_name_phone_and_language_are_changed(anna: User, browser: Client) -> None:
    answer = browser.post(
        reverse("accounts:me"), {"name": "Anna Kovács", "phone": "+36205550102", "language": "hu"}, follow=True
    )
    anna.refresh_from_db()
    assert (anna.name, anna.phone, anna.language) == ("Anna Kovács", "+36205550102", "hu")
    assert answer.context["notice"]


def test_a_language_that_the_portal_does_not_speak_is_refused(anna: User, browser: Client) -> None:
    assert browser.post(reverse("accounts:me"), {"name": "Anna", "language": "xx"}).status_code == 400
    anna.refresh_from_db()
    assert anna.language == "en"


def test_the_address_cannot_put_text_into_the_notice(browser: Client) -> None:
    page = browser.get(reverse("accounts:me"), {"done": "<b>pay here</b>"})
    assert b"pay here" not in page.content


# --- e-mail ---------------------------------------------------------------------------------------


def ask_for(browser: Client, email: str, password: str = PASSWORD) -> Response:
    return browser.post(reverse("accounts:email"), {"email": email, "old_password": password})


def test_an_address_changes_once_confirmed_and_the_old_one_is_notified(anna: User, browser: Client) -> None:
    assert ask_for(browser, "anna@new.example").status_code == 302
    link = link_in_email()
    assert mail.outbox[-1].to == ["anna@new.example"]
    Client().get(link)
    anna.refresh_from_db()
    assert (anna.email, anna.pending_email) == ("anna@example.com", "anna@new.example")

    assert Client().post(link).status_code == 200
    send_waiting_emails()
    anna.refresh_from_db()
    assert (anna.email, anna.pending_email) == ("anna@new.example", None)
    assert mail.outbox[-1].to == ["anna@example.com"]
    assert "anna@new.example" not in mail.outbox[-1].body


def test_the_confirming_link_works_once(anna: User, browser: Client) -> None:
    ask_for(browser, "anna@new.example")
    link = link_in_email()
    assert [Client().post(link).status_code for _ in range(2)] == [200, 410]


def test_the_confirming_link_ends_when_the_change_is_cancelled(anna: User, browser: Client) -> None:
    ask_for(browser, "anna@new.example")
    link = link_in_email()
    browser.post(reverse("accounts:email-keep"))
    assert Client().post(link).status_code == 410


def test_the_confirming_link_ends_after_an_hour(anna: User, browser: Client) -> None:
    ask_for(browser, "anna@new.example")
    link = link_in_email()
    with later(minutes=61):
        assert Client().post(link).status_code == 410


@pytest.mark.parametrize("token", ["x", "1-x", "²-x", "99999999999999999999-x", "1-"])
def test_a_made_up_link_is_too_old(anna: User, token: str) -> None:
    assert Client().get(reverse("accounts:email-confirm", args=[token])).status_code == 410


def test_an_address_is_not_changed_without_the_password(anna: User, browser: Client) -> None:
    assert ask_for(browser, "anna@new.example", "wrong").status_code == 400
    assert not OutgoingEmail.objects.exists()


def test_only_the_reader_of_the_new_address_learns_whether_it_has_an_account(anna: User, browser: Client) -> None:
    User.objects.create_user("taken@example.com", PASSWORD)
    free, taken = ask_for(browser, "free@example.com"), ask_for(browser, "Taken@example.com")
    assert free["Location"] == taken["Location"]
    send_waiting_emails()
    assert [message.to for message in mail.outbox] == [["free@example.com"], ["Taken@example.com"]]
    assert "/account/email/" not in mail.outbox[-1].body


def test_an_address_that_was_taken_in_between_stays_where_it_is(anna: User, browser: Client) -> None:
    ask_for(browser, "anna@new.example")
    link = link_in_email()
    User.objects.create_user("ANNA@new.example", PASSWORD)
    assert Client().post(link).status_code == 409
    anna.refresh_from_db()
    assert anna.email == "anna@example.com"


def test_emails_are_not_sent_without_end(anna: User, browser: Client) -> None:
    answers = [ask_for(browser, f"anna@{number}.example").status_code for number in range(6)]
    assert answers == [302] * 5 + [429]


# --- password and sessions ------------------------------------------------------------------------


def choose_password(browser: Client, **old: str) -> Response:
    return browser.post(
        reverse("accounts:password"), {"new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD, **old}
    )


def test_a_new_password_signs_the_other_devices_out(anna: User, browser: Client) -> None:
    phone = signed_in(anna)
    assert choose_password(browser, old_password=PASSWORD).status_code == 302
    assert [is_signed_in(browser), is_signed_in(phone)] == [True, False]
    assert is_signed_in(signed_in(anna, NEW_PASSWORD))


def test_guesses_at_the_present_password_are_limited(anna: User, browser: Client) -> None:
    for _ in range(10):
        assert choose_password(browser, old_password="wrong").status_code == 400
    assert choose_password(browser, old_password=PASSWORD).status_code == 400


@pytest.fixture
def by_signature() -> User:
    """Return an owner who came with Altegio's signature and has no password."""
    return User.objects.create_user("emma@example.com")


def test_an_owner_without_a_password_sets_one_while_the_sign_in_is_fresh(client: Client, by_signature: User) -> None:
    client.force_login(by_signature)
    assert choose_password(client).status_code == 302
    by_signature.refresh_from_db()
    assert by_signature.check_password(NEW_PASSWORD)


def test_setting_a_first_password_later_needs_a_proof_by_email(client: Client, by_signature: User) -> None:
    client.force_login(by_signature)
    with later(minutes=16):
        assert choose_password(client).status_code == 200
    by_signature.refresh_from_db()
    assert not by_signature.has_usable_password()

    client.post(reverse("accounts:password-email"))
    assert "/account/reset/" in link_in_email()


def test_signing_out_everywhere_ends_every_session(anna: User, browser: Client) -> None:
    phone = signed_in(anna)
    assert browser.post(reverse("accounts:sign-out-everywhere"))["Location"] == reverse("accounts:sign-in")
    assert [is_signed_in(browser), is_signed_in(phone)] == [False, False]
    assert is_signed_in(signed_in(anna))


def test_nobody_else_is_signed_out(anna: User, browser: Client) -> None:
    other = proven_owner("other@example.com", PASSWORD)
    others = signed_in(other)
    browser.post(reverse("accounts:sign-out-everywhere"))
    assert is_signed_in(others)


# --- taking along ---------------------------------------------------------------------------------


def downloaded(client: Client) -> dict[str, Any]:
    answer = client.get(reverse("accounts:download"))
    assert answer["Content-Disposition"] == 'attachment; filename="my-data.json"'
    data: dict[str, Any] = json.loads(answer.content)
    return data


def test_the_download_holds_what_the_portal_knows_and_no_secret(
    client: Client, altegio: Sandbox, work: Work, settings: Settings
) -> None:
    arrive(client, altegio, [AURORA_1, AURORA_2])
    work()
    emma = User.objects.get(email=EMMAS_EMAIL)
    client.force_login(emma)
    data = downloaded(client)

    assert data["account"]["email"] == EMMAS_EMAIL
    assert data["altegio_users"][0]["altegio_user_id"] == emma.identities.get().altegio_user_id
    assert data["arrivals"][0]["salon_ids"] == [AURORA_1, AURORA_2]
    assert [each["state"] for each in data["connections"]] == ["active", "active"]
    assert [change["to"] for change in data["connections"][0]["changes"]][-1] == "active"
    assert data.keys() >= {"emails", "changes_by_staff", "payments", "sender_names", "telephony"}
    written = json.dumps(data)
    secrets = [keys.api_key for keys in Installation.objects.all()] + [
        emma.password,
        settings.ALTEGIO_PARTNER_TOKEN,
    ]
    secrets += [chain.crm_token for chain in Chain.objects.exclude(crm_token="")]
    assert [secret for secret in secrets if secret in written] == []


def test_the_download_holds_nothing_of_others(client: Client, altegio: Sandbox, work: Work, anna: User) -> None:
    arrive(client, altegio, AURORA_1)
    work()
    data = downloaded(signed_in(anna))
    assert (data["connections"], data["arrivals"], data["payments"]) == ([], [], [])
    assert EMMAS_EMAIL not in json.dumps(data)


# --- erasing --------------------------------------------------------------------------------------


@pytest.fixture
def emma(client: Client, altegio: Sandbox, work: Work) -> User:
    """Return Emma, who owns two connected locations and has a password."""
    arrive(client, altegio, [AURORA_1, AURORA_2])
    work()
    emma = User.objects.get(email=EMMAS_EMAIL)
    emma.set_password(PASSWORD)
    emma.email_proven_at = timezone.now()
    emma.save()
    return emma


def erase(browser: Client, **form: str) -> Response:
    return browser.post(reverse("lifecycle:erase"), {"old_password": PASSWORD, **form})


def test_the_page_says_what_is_erased_and_what_stays(emma: User) -> None:
    page = signed_in(emma).get(reverse("lifecycle:erase")).content.decode()
    assert "2 locations of yours are connected" in page
    assert "payments and refunds" in page


def test_an_owner_erases_their_data_and_the_locations_stay(emma: User, work: Work) -> None:
    browser = signed_in(emma)
    assert erase(browser).status_code == 200
    work()
    emma.refresh_from_db()
    assert (emma.email, emma.name, emma.is_active) == (None, "", False)
    assert not is_signed_in(browser)
    assert set(Connection.objects.values_list("state", flat=True)) == {"active"}


def test_erasure_disconnects_the_locations_if_the_owner_asks_for_it(emma: User, altegio: Sandbox, work: Work) -> None:
    erase(signed_in(emma), disconnect="yes")
    work()
    assert set(Connection.objects.values_list("state", flat=True)) == {"uninstalled"}
    assert len(altegio.requests("uninstall")) == 2


def test_nothing_is_erased_without_the_password(emma: User) -> None:
    assert erase(signed_in(emma), old_password="wrong").status_code == 400
    emma.refresh_from_db()
    assert emma.email == EMMAS_EMAIL


def test_an_owner_without_a_password_erases_by_email(client: Client, by_signature: User) -> None:
    client.force_login(by_signature)
    assert client.post(reverse("lifecycle:erase")).status_code == 200
    assert User.objects.get(pk=by_signature.pk).email

    client.post(reverse("lifecycle:erase-email"))
    link = link_in_email()
    Client().get(link)
    assert User.objects.get(pk=by_signature.pk).email
    assert [Client().post(link).status_code for _ in range(2)] == [200, 410]
    assert User.objects.get(pk=by_signature.pk).email is None


def test_a_link_for_one_purpose_serves_no_other(anna: User, browser: Client) -> None:
    ask_for(browser, "anna@new.example")
    token = link_in_email().rstrip("/").rsplit("/", 1)[1]
    assert Client().post(reverse("lifecycle:erase-confirm", args=[token])).status_code == 410


def test_erasure_includes_the_pending_address(anna: User, browser: Client) -> None:
    ask_for(browser, "anna@new.example")
    erase(browser)
    anna.refresh_from_db()
    assert anna.pending_email is None
    assert not OutgoingEmail.objects.exists()
