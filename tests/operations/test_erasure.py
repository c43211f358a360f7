"""Erasing a person: nothing of them is left in any column; connections and payments stay."""

from collections.abc import Callable
from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.core import mail
from django.test import Client

from accounts.emails import queue_email, send_waiting_emails
from accounts.erasure import CannotEraseError, erase_person
from accounts.models import AltegioIdentity, ApiKey, Authenticator, OutgoingEmail, User
from integrations.activation import staff
from integrations.alerts.models import Alert
from integrations.connections.models import Arrival, Connection, Location
from integrations.user_tokens.models import UserToken
from sandbox import Sandbox
from tests.admin_urls import admin_url
from tests.kept import everything_stored, stands_in
from tests.marketplace import AURORA_1, AURORA_2, EMMA, EMMAS_EMAIL, MARIA, arrive, follow, proven_owner
from tests.owner_forms import SIGN_UP, form_action

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


@pytest.fixture
def administrator() -> User:
    return User.objects.create_superuser("administrator@example.com", PASSWORD)


def emma() -> User:
    return User.objects.get(email=EMMAS_EMAIL)


def traces(user: User) -> list[str]:
    assert user.email
    assert user.name
    assert user.phone
    return [user.email, user.name, user.phone, str(user.identities.get().altegio_user_id)]


def test_nothing_of_the_person_is_left_in_any_column(
    client: Client, altegio: Sandbox, work: Callable[..., None], administrator: User
) -> None:
    arrive(client, altegio, [AURORA_1, AURORA_2])
    work()
    user = emma()
    hidden = traces(user)
    queue_email("erase", user, to=EMMAS_EMAIL.upper(), key="before", state="")
    queue_email("email_changed", user, to="an.earlier.address@example.com", key="earlier")
    send_waiting_emails()
    log_entry = {"content_type": ContentType.objects.get_for_model(User), "object_id": user.pk}
    LogEntry.objects.create(user=administrator, action_flag=CHANGE, change_message=hidden[3], **log_entry)
    connection = Connection.objects.get(location__altegio_id=AURORA_1)
    alert = Alert.objects.create(key="a", kind=Alert.Kind.REVIEW, connection=connection, note=f"{EMMAS_EMAIL} called")
    client.force_login(user)
    assert all(stands_in(everything_stored(), trace) for trace in hidden)

    erase_person(user)
    stored = everything_stored()
    assert [trace for trace in [*hidden, "an.earlier.address@example.com"] if stands_in(stored, trace)] == []
    assert LogEntry.objects.filter(**log_entry).exists()
    assert Alert.objects.get(pk=alert.pk).note == ""


def change_address(browser: Client, email: str, password: str) -> None:
    """Through the pages, to the e-mail at the new address."""
    browser.post("/account/me/email/", {"email": email, "old_password": password})
    send_waiting_emails()
    link = next(word for word in mail.outbox[-1].body.split() if "/account/email/" in word)
    assert browser.post(link.removeprefix("http://localhost:8000")).status_code == 200


def test_nothing_is_left_of_a_life_with_changes(
    altegio: Sandbox, work: Callable[..., None], administrator: User
) -> None:
    """Another name and address, twice; a while as a colleague with a phone that was lost; an end."""
    person = proven_owner("first@owner.example", PASSWORD, name="Firstname", phone="+36201111111")
    browser, office = Client(), Client()
    browser.force_login(person)
    change_address(browser, "second@owner.example", PASSWORD)
    browser.post("/account/me/", {"name": "Secondname", "phone": "+36202222222", "language": "hu"})
    browser.post("/account/me/email/", {"email": "wished@owner.example", "old_password": PASSWORD})
    Client().post("/account/reset/", {"email": "second@owner.example"})
    send_waiting_emails()
    office.force_login(administrator)
    change = {"email": "third@owner.example", "name": "Thirdname", "is_active": "on", "identities-TOTAL_FORMS": "0"}
    change |= {"identities-INITIAL_FORMS": "0"}
    assert office.post(f"/admin/accounts/user/{person.pk}/change/", change | {"is_staff": "on"}).status_code == 302
    phone = Authenticator.objects.create(user=person, name="Firstname's phone", confirmed=True)
    form = {"action": "forget", "_selected_action": str(phone.pk), "confirmed": "yes"}
    office.post("/admin/accounts/authenticator/", form)
    queue_email("email_changed", person, to="first@owner.example", key="unsent")
    unsent = OutgoingEmail.objects.get(key="unsent")
    form = {"action": "again", "_selected_action": str(unsent.pk), "confirmed": "yes"}
    office.post("/admin/accounts/outgoingemail/", form)
    assert LogEntry.objects.count() == 3
    assert office.post(f"/admin/accounts/user/{person.pk}/change/", change).status_code == 302
    hidden = [
        f"{which}@owner.example" for which in ("first", "second", "third", "wished")
    ] + ["Firstname", "Secondname", "Thirdname", "+36201111111", "+36202222222"]  # fmt: skip
    assert stands_in(everything_stored(), "first@owner.example"), "an earlier address, in the e-mail to it"

    erase_person(User.objects.get(pk=person.pk))
    stored = everything_stored()
    assert [trace for trace in hidden if stands_in(stored, trace)] == []
    assert LogEntry.objects.count() == 4


def test_the_history_names_no_row_by_what_it_holds(administrator: User) -> None:
    """Not what Django writes into it by itself either; the row may be gone when its person is erased."""
    office = Client()
    office.force_login(administrator)
    passwords = {"usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}
    office.post("/admin/accounts/user/add/", {"email": "anna@owner.example", "name": "Anna", **passwords})
    person = User.objects.get(email="anna@owner.example")
    office.post(f"/admin/accounts/user/{person.pk}/password/", passwords)
    office.post("/admin/auth/group/add/", {"name": "Anna's group"})
    group = Group.objects.get(name="Anna's group")
    office.post(f"/admin/auth/group/{group.pk}/delete/", {"post": "yes"})
    key, _text = ApiKey.objects.create_key(name="cabinet")
    office.post(f"/admin/accounts/apikey/{key.pk}/change/", {"revoked": "on"})

    named = LogEntry.objects.order_by("pk").values_list("object_repr", flat=True)
    assert list(named) == [f"#{person.pk}", f"#{person.pk}", f"#{group.pk}", f"#{group.pk}", "#…"]


def test_what_the_history_held_before_is_named_by_its_number(administrator: User) -> None:
    for number, text in (("17", "erase → anna@owner.example"), ("a-key.and-its-hash", "cabinet")):
        LogEntry.objects.create(user=administrator, action_flag=CHANGE, object_id=number, object_repr=text)
    import_module("partner_portal.core.migrations.0004_history_by_number").name_by_number(apps, None)
    assert sorted(LogEntry.objects.values_list("object_repr", flat=True)) == ["#17", "#…"]


def test_connections_stay_with_the_emptied_account(
    client: Client, altegio: Sandbox, work: Callable[..., None]
) -> None:
    arrive(client, altegio, AURORA_1)
    work()
    user = emma()
    erase_person(user)
    connection = Connection.objects.get()
    assert (connection.state, connection.owner) == ("active", user)
    assert (user.email, user.name, user.phone, user.is_active) == (None, "", "", False)
    assert Arrival.objects.get().user == user


def test_nothing_is_connected_for_who_was_erased_while_it_waited(
    client: Client, altegio: Sandbox, work: Callable[..., None]
) -> None:
    arrive(client, altegio, AURORA_1)
    erase_person(emma())
    work()
    assert Connection.objects.get().state == "failed"
    assert altegio.requests() == []


def test_a_person_whom_only_a_signature_named_is_forgotten_too(
    client: Client, altegio: Sandbox, work: Callable[..., None]
) -> None:
    """Emma's account waits for her to sign in once: her number stands on the arrival alone."""
    user = User.objects.create_user(EMMAS_EMAIL, PASSWORD)
    arrive(client, altegio, AURORA_1)
    work()
    assert stands_in(everything_stored(), str(EMMA))
    erase_person(user)
    assert not stands_in(everything_stored(), str(EMMA))
    assert Connection.objects.get().claim == f"erased:{Connection.objects.get().pk}"


def test_the_record_of_a_location_that_was_moved_does_not_name_them(
    client: Client, altegio: Sandbox, work: Callable[..., None], administrator: User
) -> None:
    arrive(client, altegio, AURORA_1)
    work()
    altegio.uninstall(AURORA_1)
    user = emma()
    live = Connection.objects.get()
    follow(client, altegio, AURORA_1, user_id=MARIA)
    work()
    claim = Connection.objects.exclude(pk=live.pk).get()
    Connection.objects.filter(pk=live.pk).update(state="active", owner=user)
    Connection.objects.filter(pk=claim.pk).update(state="conflict")
    staff.give_to_claimant(claim.pk, administrator)
    assert f"from #{user.pk} to" in everything_stored()
    erase_person(user)
    assert not stands_in(everything_stored(), EMMAS_EMAIL)


def test_who_comes_back_is_a_new_person(client: Client, altegio: Sandbox, work: Callable[..., None]) -> None:
    arrive(client, altegio, AURORA_1)
    work()
    erased = emma()
    erase_person(erased)
    arrive(client, altegio, AURORA_2)
    work()
    assert emma().pk != erased.pk
    assert Connection.objects.get(location__altegio_id=AURORA_2).owner == emma()


def test_a_session_ends_with_the_person(client: Client, altegio: Sandbox) -> None:
    arrive(client, altegio, AURORA_1)
    client.force_login(emma())
    assert client.get("/account/").status_code == 200
    erase_person(emma())
    assert client.get("/account/").status_code == 302


def test_staff_are_not_erased_by_mistake(administrator: User) -> None:
    with pytest.raises(CannotEraseError):
        erase_person(administrator)
    assert User.objects.get().email == "administrator@example.com"


def post_erase(user: User, by: User, **form: str) -> str:
    client = Client()
    client.force_login(by)
    form = {"action": "erase", "_selected_action": str(user.pk), **form}
    return client.post("/admin/accounts/user/", form, follow=True).content.decode()


def test_in_the_admin_it_is_asked_once_and_remembered_without_the_name(
    client: Client, altegio: Sandbox, administrator: User
) -> None:
    arrive(client, altegio, AURORA_1)
    user = emma()
    assert "cannot be undone" in post_erase(user, administrator)
    assert AltegioIdentity.objects.exists()

    assert "1 person is erased" in post_erase(user, administrator, confirmed="yes")
    assert not AltegioIdentity.objects.exists()
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_repr) == (administrator, f"#{user.pk}")


def test_in_the_admin_staff_are_refused_in_words(administrator: User) -> None:
    page = post_erase(administrator, administrator, confirmed="yes")
    assert "Take the staff rights away first" in page
    assert User.objects.filter(email=administrator.email).exists()


def test_no_token_of_theirs_stays(client: Client, altegio: Sandbox) -> None:
    arrive(client, altegio, [AURORA_1, AURORA_2])
    for number, altegio_id in ((EMMA, AURORA_1), (MARIA, AURORA_2)):
        location = Location.objects.get(altegio_id=altegio_id)
        UserToken.objects.create(location=location, altegio_user_id=number, token="secret")
    erase_person(emma())
    assert UserToken.objects.get().altegio_user_id == MARIA


def test_the_app_on_the_phone_of_a_former_colleague_goes_too() -> None:
    user = User.objects.create_user("anna@example.com", PASSWORD, name="Anna")
    Authenticator.objects.create(user=user, name="Anna's phone")
    erase_person(user)
    assert not stands_in(everything_stored(), "Anna")


def test_emails_to_others_stay(client: Client, altegio: Sandbox) -> None:
    arrive(client, altegio, AURORA_1)
    queue_email("email_taken", User.objects.create_user("maria@medved.example"), key="other")
    erase_person(emma())
    assert OutgoingEmail.objects.get().to == "maria@medved.example"


def test_nothing_is_left_of_a_sign_up_that_waited_for_the_person(altegio: Sandbox) -> None:
    """By whose address somebody claims is kept beside the claim, as a hash."""
    person = proven_owner("first@owner.example", PASSWORD)
    page = arrive(Client(), altegio, AURORA_1, user_id=None)
    Client().post(form_action(page, "sign-up"), SIGN_UP | {"email": person.email})
    assert Connection.objects.get().visitor
    erase_person(person)
    assert Connection.objects.get().visitor == ""


def test_whoever_was_erased_before_it_was_noted_counts_as_erased_and_a_closed_account_does_not() -> None:
    """A person whom Altegio signed without an address has none in an account that staff close either."""
    erased, closed = User.objects.create_user("anna@example.com"), User.objects.create_user(None, name="Olga")
    erase_person(erased)
    User.objects.update(is_active=False, erased_at=None)
    import_module("accounts.migrations.0011_erased_before").note_erased(apps, None)
    erased.refresh_from_db()
    closed.refresh_from_db()
    assert (erased.is_erased, closed.is_erased) == (True, False)
    assert list(User.objects.erased()) == [erased]


def test_an_erased_account_that_staff_give_to_somebody_is_theirs() -> None:
    user = User.objects.create_user("anna@example.com")
    erase_person(user)
    assert user.is_erased
    User.objects.update(email="olga@example.com", is_active=True)
    user.refresh_from_db()
    assert not user.is_erased


def test_an_erased_account_that_staff_have_opened_and_closed_again_is_a_closed_one(
    client: Client, administrator: User
) -> None:
    user = User.objects.create_user("anna@example.com")
    erase_person(user)
    client.force_login(administrator)
    form = {"email": "olga@example.com", "identities-TOTAL_FORMS": "0", "identities-INITIAL_FORMS": "0"}
    for change in (form | {"is_active": "on"}, form):
        assert client.post(admin_url("user", "change", user.pk), change).status_code == 302
    user.refresh_from_db()
    assert (user.email, user.is_active, user.is_erased) == ("olga@example.com", False, False)
