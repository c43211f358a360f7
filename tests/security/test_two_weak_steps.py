"""Two weak steps, one after another or simultaneous, open nothing that neither opens alone."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.urls import reverse

from accounts import limits, my_data
from accounts.admin import UserAdmin
from accounts.erasure import erase_person
from accounts.forms import PasswordForm, ProfileForm
from accounts.models import OutgoingEmail, User
from accounts.password_reset import NewPasswordForm
from accounts.proofs import take_over
from accounts.sessions import sign_out_everywhere
from accounts.two_factor.password_change import StaffPasswordForm
from integrations.lifecycle import account_deletion
from sandbox import Sandbox
from tests.marketplace import AURORA_1, EMMAS_EMAIL, arrive, follow, proven_owner
from tests.not_none import not_none
from tests.owner_forms import PASSWORD, form_action
from tests.security.signing_up import ATTACKERS, OURS, is_signed_in, link_in_email, sign_in, sign_up

pytestmark = pytest.mark.django_db
FRAME = {"Sec-Fetch-Dest": "iframe"}
NEW = "fresh-pass-42"


@pytest.fixture
def anna() -> User:
    return proven_owner("anna@owner.example", PASSWORD)


@pytest.fixture
def thief(anna: User) -> Client:
    """Return somebody who knows the password and is signed in."""
    browser = Client(headers=OURS)
    assert sign_in(browser, not_none(anna.email), PASSWORD)
    return browser


# --- what is under way while the owner takes the account back ------------------------------------


def meanwhile(
    monkeypatch: pytest.MonkeyPatch, at: Any, name: str, takes_back: Callable[[], object]
) -> Callable[[], None]:
    """Let another thread take the account back while `at.name` is at work; return a function that waits for its end.

    If the account is locked, that thread waits in turn and acts right afterwards.
    """
    work = getattr(at, name)

    def in_a_thread() -> None:
        try:
            takes_back()
        finally:
            connections.close_all()

    thread = threading.Thread(target=in_a_thread)

    def late(*args: Any, **kwargs: Any) -> Any:
        thread.start()
        thread.join(timeout=1)
        return work(*args, **kwargs)

    monkeypatch.setattr(at, name, late)
    return thread.join


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("page", "form", "at"),
    [
        ("me", {"name": "Anna", "phone": "", "language": "en"}, (ProfileForm, "full_clean")),
        (
            "password",
            {"old_password": PASSWORD, "new_password1": ATTACKERS, "new_password2": ATTACKERS},
            (PasswordForm, "save"),
        ),
        ("email", {"email": "mallory@evil.example", "old_password": PASSWORD}, (my_data, "request_email_change")),
    ],
)
def test_a_change_under_way_overwrites_nothing_when_an_account_is_taken_back(
    anna: User, thief: Client, monkeypatch: pytest.MonkeyPatch, page: str, form: dict[str, Any], at: Any
) -> None:
    with monkeypatch.context() as patched:
        end = meanwhile(patched, at[0], at[1], lambda: take_over(User.objects.get(), password=NEW))
        thief.post(reverse(f"accounts:{page}"), form)
        end()
    anna.refresh_from_db()
    assert anna.check_password(NEW)
    assert anna.pending_email is None
    assert not is_signed_in(thief)


@pytest.mark.django_db(transaction=True)
def test_a_link_under_way_sets_no_password_when_an_account_is_taken_back(
    anna: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A link that two people press at the same moment does not work twice either."""
    browser = Client()
    browser.post("/account/reset/", {"email": anna.email})
    form = browser.get(link_in_email(), follow=True).redirect_chain[-1][0]
    with monkeypatch.context() as patched:
        end = meanwhile(patched, NewPasswordForm, "save", lambda: take_over(User.objects.get(), password=NEW))
        answer = browser.post(form, {"new_password1": ATTACKERS, "new_password2": ATTACKERS})
        end()
    anna.refresh_from_db()
    assert anna.check_password(NEW)
    assert "This link was used or is too old" in answer.content.decode()


@pytest.mark.django_db(transaction=True)
def test_a_link_under_way_erases_nothing_when_an_account_is_taken_back(
    anna: User, thief: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    thief.post(reverse("lifecycle:erase-email"))
    link = link_in_email()
    with monkeypatch.context() as patched:
        end = meanwhile(patched, account_deletion, "prefer", lambda: take_over(User.objects.get(), password=NEW))
        answer = Client().post(link)
        end()
    assert User.objects.get().check_password(NEW)
    assert answer.status_code == 410


@pytest.mark.django_db(transaction=True)
def test_no_session_survives_signing_out_everywhere_by_a_simultaneous_action(
    anna: User, thief: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unlinking keeps its own session, and needs nothing to be linked."""
    original = User.refresh_from_db
    with monkeypatch.context() as patched:

        def late(self: User, **kwargs: Any) -> None:
            patched.undo()
            thread = threading.Thread(target=signs_out)
            thread.start()
            thread.join(timeout=1)
            threads.append(thread)
            original(self, **kwargs)

        def signs_out() -> None:
            try:
                sign_out_everywhere(User.objects.get())
            finally:
                connections.close_all()

        threads: list[threading.Thread] = []
        patched.setattr(User, "refresh_from_db", late)
        thief.post(reverse("accounts:unlink", args=[1]))
        threads[0].join()
    assert not is_signed_in(thief)


@pytest.mark.django_db(transaction=True)
def test_a_person_erased_at_that_moment_stays_erased(
    anna: User, thief: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        end = meanwhile(patched, ProfileForm, "full_clean", lambda: erase_person(User.objects.get()))
        thief.post(reverse("accounts:me"), {"name": "Anna", "phone": "", "language": "en"})
        end()
    anna.refresh_from_db()
    assert (anna.email, anna.name, anna.is_active) == (None, "", False)


@pytest.mark.django_db(transaction=True)
def test_staff_who_are_shut_out_while_they_change_their_password_stay_out(monkeypatch: pytest.MonkeyPatch) -> None:
    member = User.objects.create_superuser("boris@partner.example", PASSWORD)
    browser = Client()
    browser.force_login(member)
    with monkeypatch.context() as patched:
        end = meanwhile(patched, StaffPasswordForm, "full_clean", lambda: User.objects.update(is_active=False))
        form = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
        browser.post("/admin/password_change/", form)
        end()
    member.refresh_from_db()
    assert (member.is_active, member.check_password(PASSWORD)) == (False, True)


@pytest.mark.django_db(transaction=True)
def test_a_colleagues_edit_does_not_overwrite_the_owners_simultaneous_change(
    admin_client: Client, anna: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        end = meanwhile(
            patched, UserAdmin, "save_model", lambda: take_over(User.objects.get(pk=anna.pk), password=NEW)
        )
        inline = {"identities-TOTAL_FORMS": "0", "identities-INITIAL_FORMS": "0"}
        form = {"email": anna.email, "name": "Anna", "is_active": "on", **inline}
        assert admin_client.post(f"/admin/accounts/user/{anna.pk}/change/", form).status_code == 302
        end()
    anna.refresh_from_db()
    assert (anna.name, anna.check_password(NEW)) == ("Anna", True)


# --- a signature that is not linked ---------------------------------------------------------------


def test_an_unlinked_user_gets_no_frame_token_by_an_old_arrival(altegio: Sandbox) -> None:
    emma = proven_owner(EMMAS_EMAIL, PASSWORD)
    forms = arrive(Client(), altegio, AURORA_1, user_id=None)
    Client().post(form_action(forms, "sign-in"), {"email": EMMAS_EMAIL, "password": PASSWORD})
    page = follow(Client(headers=FRAME), altegio, AURORA_1)["Location"]
    Client(headers=OURS).post(f"{page}sign-in/", {"email": EMMAS_EMAIL, "password": PASSWORD})
    browser = Client(headers=OURS)
    sign_in(browser, EMMAS_EMAIL, PASSWORD)
    browser.post(reverse("accounts:unlink", args=[emma.identities.get().pk]))
    again = follow(Client(headers=FRAME), altegio, AURORA_1)["Location"]
    assert "/connect/as/" not in again


# --- an owner who becomes staff -------------------------------------------------------------------


def becomes_staff(office: Client, user: User) -> None:
    inline = {"identities-TOTAL_FORMS": "0", "identities-INITIAL_FORMS": "0"}
    form = {"email": user.email, "is_active": "on", "is_staff": "on", "is_superuser": "on", **inline}
    answer = office.post(f"/admin/accounts/user/{user.pk}/change/", form)
    assert answer.status_code == 302, answer.context["errors"]
    assert User.objects.get(pk=user.pk).is_staff


def test_a_strangers_sign_up_password_opens_no_staff_account(admin_client: Client, altegio: Sandbox) -> None:
    sign_up(altegio, "colleague@partner.example")
    becomes_staff(admin_client, User.objects.get(email="colleague@partner.example"))
    browser = Client()
    browser.post("/admin/login/", {"username": "colleague@partner.example", "password": ATTACKERS})
    assert browser.get("/admin/").status_code == 302


def test_an_owners_session_ends_when_they_become_staff(admin_client: Client, anna: User, thief: Client) -> None:
    becomes_staff(admin_client, anna)
    assert thief.get("/admin/").status_code == 302


def test_a_reset_email_sets_no_staff_password(admin_client: Client, anna: User) -> None:
    Client().post("/account/reset/", {"email": anna.email})
    link = link_in_email()
    browser = Client()
    form = browser.get(link, follow=True).redirect_chain[-1][0]
    becomes_staff(admin_client, anna)
    for address in (form, link):
        browser.post(address, {"new_password1": ATTACKERS, "new_password2": ATTACKERS})
    assert not User.objects.get(pk=anna.pk).check_password(ATTACKERS)


# --- who has an account ---------------------------------------------------------------------------


def test_a_download_does_not_reveal_whether_a_pending_address_has_an_account(anna: User, thief: Client) -> None:
    proven_owner("taken@owner.example")
    payload = []
    for wished in ("taken@owner.example", "newer@owner.example"):
        thief.post(reverse("accounts:email"), {"email": wished, "old_password": PASSWORD})
        taken = thief.get(reverse("accounts:download")).json()
        payload.append([(outgoing_email["template"], outgoing_email["to"]) for outgoing_email in taken["emails"]])
        User.objects.filter(pk=anna.pk).update(pending_email=None)
    assert payload[0] == payload[1]


# --- doors without a limit ------------------------------------------------------------------------


def test_sign_ins_of_staff_are_limited_for_each_caller(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit holds however many addresses they try one password at."""
    monkeypatch.setattr(limits, "STAFF_SIGN_INS", limits.Limit("staff-sign-ins", 2, 3600))
    names = [f"{number}@partner.example" for number in range(3)]
    answers = [Client().post("/admin/login/", {"username": name, "password": "x"}) for name in names]
    assert [answer.status_code for answer in answers] == [200, 200, 429]


def test_guesses_in_an_open_staff_browser_are_limited(
    admin_client: Client, admin_user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[str] = []

    def check(_self: User, given: str) -> bool:
        looked_at.append(given)
        return False

    monkeypatch.setattr(User, "check_password", check)
    for number in range(12):
        form = {"old_password": f"guess {number}", "new_password1": NEW, "new_password2": NEW}
        admin_client.post("/admin/password_change/", form)
    assert len(looked_at) == 10


def test_strangers_do_not_use_up_a_signed_in_owners_emails(anna: User, thief: Client) -> None:
    for number in range(6):
        Client(REMOTE_ADDR=f"192.0.2.{number}").post("/account/reset/", {"email": anna.email})
    OutgoingEmail.objects.all().delete()
    thief.post(reverse("accounts:password-email"))
    assert OutgoingEmail.objects.exists()
