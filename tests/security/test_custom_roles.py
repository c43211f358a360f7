"""Custom staff rights lead to no other rights, and show nothing that another right protects."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.roles import Role
from billing.models import Payment
from integrations.alerts.models import Alert
from integrations.connections.models import Connection
from tests.planting import give_calls
from tests.security.poisoned import Poisoned

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse 9"


def member(*rights: str, role: Role | None = None) -> tuple[User, Client]:
    """Return a member of staff with these rights ("app.codename"), or with a role."""
    user = User.objects.create_user("member@partner.example", PASSWORD, is_staff=True)
    for right in rights:
        app_label, codename = right.split(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app_label, codename=codename))
    if role:
        user.groups.add(Group.objects.get(name=role.value))
    client = Client()
    client.force_login(user)
    return user, client


PEOPLE = ("accounts.view_user", "accounts.add_user", "accounts.change_user", "accounts.add_authenticator")
RIGHTS = {"is_active": "on", "is_staff": "on", "is_superuser": "on"}


def form_of(user: User, **changed: str) -> dict[str, object]:
    inline = {"identities-TOTAL_FORMS": "0", "identities-INITIAL_FORMS": "0"}
    return {"email": user.email, "name": user.name, "is_active": "on", **inline, **changed}


def change(client: Client, user: User, **changed: object) -> User:
    page = reverse("admin:accounts_user_change", args=[user.pk])
    client.post(page, {**form_of(user), **changed})
    return User.objects.get(pk=user.pk)


@pytest.fixture
def owner() -> User:
    return User.objects.create_user("owner@salon.example", PASSWORD)


@pytest.fixture
def administrator() -> User:
    return User.objects.create_superuser("root@partner.example", PASSWORD)


def test_staff_who_may_change_people_change_owners(owner: User) -> None:
    _member, client = member(*PEOPLE)
    assert change(client, owner, name="Emma").name == "Emma"


def test_staff_who_may_change_people_give_nobody_rights(owner: User) -> None:
    user, client = member(*PEOPLE)
    given = {**RIGHTS, "groups": list(Group.objects.values_list("pk", flat=True)), "user_permissions": ["1", "2"]}
    for whom in (user, owner):
        rights = (whom.is_staff, whom.is_superuser, whom.groups.count(), whom.user_permissions.count())
        now = change(client, whom, **given)
        assert (now.is_staff, now.is_superuser, now.groups.count(), now.user_permissions.count()) == rights


def test_staff_who_may_change_people_make_nobody_staff() -> None:
    _member, client = member(*PEOPLE)
    new = {"email": "new@partner.example", "password1": PASSWORD, "password2": PASSWORD, "usable_password": "true"}
    client.post(reverse("admin:accounts_user_add"), {**form_of(User()), **new, **RIGHTS})
    made = User.objects.get(email="new@partner.example")
    assert not made.is_staff
    assert not made.is_superuser


@pytest.mark.parametrize("is_staff", [True, False])
def test_staff_who_may_change_people_take_over_no_staff(administrator: User, is_staff: bool) -> None:
    """A password, or an address for a link, would be enough to become an administrator."""
    User.objects.filter(pk=administrator.pk).update(is_staff=is_staff)
    _member, client = member(*PEOPLE)
    new = {"password1": "another horse 9", "password2": "another horse 9", "usable_password": "true"}
    answer = client.post(reverse("admin:auth_user_password_change", args=[administrator.pk]), new)
    assert answer.status_code == 403
    assert change(client, administrator, email="member@evil.example").email == "root@partner.example"
    assert User.objects.get(pk=administrator.pk).check_password(PASSWORD)


def test_an_administrator_needs_the_present_password_to_change_their_own() -> None:
    """Somebody at an open screen cannot lock out its owner by the page meant for other people's passwords."""
    user, client = member(role=Role.ADMINISTRATOR)
    new = {"password1": "another horse 9", "password2": "another horse 9", "usable_password": "true"}
    for pk in (str(user.pk), f"0{user.pk}", f"{user.pk}.0", f"_3{ord(str(user.pk)[0]) % 16:X}{str(user.pk)[1:]}"):
        client.post(f"/admin/accounts/user/{pk}/password/", new)
        assert User.objects.get(pk=user.pk).check_password(PASSWORD), pk
    answer = client.get(f"/admin/accounts/user/{user.pk}/password/")
    assert answer.headers["Location"] == reverse("admin:password_change")


def test_an_administrator_sets_the_password_of_another(administrator: User) -> None:
    _user, client = member(role=Role.ADMINISTRATOR)
    new = {"password1": "another horse 9", "password2": "another horse 9", "usable_password": "true"}
    client.post(f"/admin/accounts/user/{administrator.pk}/password/", new)
    administrator.refresh_from_db()
    assert administrator.check_password("another horse 9")


def test_staff_who_may_give_rights_still_can(owner: User) -> None:
    _member, client = member(role=Role.ADMINISTRATOR)
    viewer = Group.objects.get(name=Role.VIEWER.value)
    now = change(client, owner, is_staff="on", groups=[viewer.pk])
    assert (now.is_staff, list(now.groups.all())) == (True, [viewer])


@pytest.mark.parametrize(
    ("rights", "sees"),
    [(("connections.view_connection",), False), (("connections.view_connection", "billing.view_payment"), True)],
)
def test_a_connections_page_shows_payments_only_with_the_right(rights: Any, sees: bool) -> None:
    payment = Poisoned("Aurora").row(Payment)
    give_calls()
    _member, client = member(*rights)
    page = client.get(reverse("admin:connections_connection_change", args=[Connection.objects.get().pk]))
    assert page.status_code == 200
    assert (reverse("admin:billing_payment_change", args=[payment.pk]) in page.content.decode()) is sees


def test_a_page_shows_no_piece_of_a_passwords_hash(owner: User) -> None:
    User.objects.filter(pk=owner.pk).update(password="md5$Recognisable$Recognisable")
    _member, client = member(role=Role.ADMINISTRATOR)
    page = client.get(reverse("admin:accounts_user_change", args=[owner.pk])).content.decode()
    assert "../password/" in page
    assert "Re***" not in page
    assert "Recogn" not in page


CRAFTED = ("crm_token", "secret", "password", "session_epoch", "email_proven_at", "key", "token")


# The operators' fields of an alert.
WRITTEN_BY_FORM: dict[type[Any], set[str]] = {Alert: {"assignee_id", "note"}}


@pytest.mark.parametrize("role", [Role.VIEWER, Role.SUPPORT, Role.FINANCE])
def test_no_crafted_form_changes_what_a_role_may_only_look_at(role: Role) -> None:
    """The form names every column, shown or not: none is written, and no form is open."""
    rows = Poisoned("Aurora", Application={"kind": "sms", "altegio_id": 1}, User={"is_staff": False})
    made = {model: rows.row(model) for model in admin.site._registry}
    give_calls()
    _member, client = member(role=role)
    for model, row in made.items():
        before = type(row)._base_manager.filter(pk=row.pk).values().get()
        crafted = dict.fromkeys(before, "1") | dict.fromkeys(CRAFTED, "1")
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
        client.post(reverse(name, args=[row.pk]), crafted)
        after = type(row)._base_manager.filter(pk=row.pk).values().get()
        may_write = WRITTEN_BY_FORM.get(model, set()) if role is Role.SUPPORT else set()
        assert {name for name in before if after[name] != before[name]} <= may_write, model
