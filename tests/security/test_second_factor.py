"""No planted session, other page, half-done set-up or replay bypasses the second factor."""

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, reverse
from pytest_django.fixtures import Settings

from accounts.models import Authenticator, BackupCode, User
from accounts.two_factor.setup import send_link
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

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna() -> User:
    return User.objects.create_superuser("anna@partner.example", PASSWORD)


def copy_of(client: Client) -> Client:
    """Return another browser with the same cookies, of a session that was planted or seen before
    the second factor.
    """
    copy = Client()
    copy.cookies.load(client.cookies.output(header="", sep=";"))
    assert copy.session.session_key == client.session.session_key
    return copy


def test_a_session_planted_with_the_password_alone_lacks_the_second_factor(anna: User) -> None:
    _first, codes = set_up(anna)
    stranger = sign_in(anna)
    victim = copy_of(stranger)
    assert enters_with(victim, codes[0])
    assert not enters(stranger)


def test_a_planted_session_cannot_set_up_a_phone(anna: User, settings: Settings) -> None:
    settings.STAFF_TWO_FACTOR = True
    send_link(anna)
    stranger = sign_in(anna)
    victim = copy_of(stranger)
    victim.get(link_in_email())
    assert show_key(stranger) == ""
    assert len(codes_on(type_code(victim, code_of(show_key(victim))))) == 8


def test_a_planted_session_cannot_replace_a_phone(anna: User) -> None:
    client, codes = set_up(anna)
    seen = copy_of(client)
    client.post(PAGE, {"do": "replace", "password": PASSWORD, "code": codes[0]})
    assert show_key(seen) == ""
    assert show_key(client)


def doors() -> list[str]:
    """Return every address of the control room that needs no argument."""
    names = [pattern.name for pattern in admin.site.get_urls() if isinstance(pattern, URLPattern) and pattern.name]
    names += [
        f"{model._meta.app_label}_{model._meta.model_name}_{page}"
        for model in admin.site._registry
        for page in ("changelist", "add")
    ]
    found = []
    for name in {*names, "billing_payment_totals", "billing_payment_figures"} - {"login", "two-factor"}:
        try:
            found.append(reverse(f"admin:{name}"))
        except NoReverseMatch:
            continue
    return sorted(found)


@pytest.mark.parametrize("demanded", [True, False])
@pytest.mark.parametrize("method", ["get", "head", "post", "put", "options"])
def test_the_password_alone_opens_no_staff_page(anna: User, settings: Settings, demanded: bool, method: str) -> None:
    settings.STAFF_TWO_FACTOR = demanded
    if not demanded:
        set_up(anna)
    client = sign_in(anna)
    assert len(doors()) > 40
    for webhook_endpoint in doors():
        answer = getattr(client, method)(webhook_endpoint)
        assert answer.status_code in (302, 400, 403, 404, 405), webhook_endpoint


def test_the_password_alone_opens_no_owner_page_or_api(anna: User, settings: Settings) -> None:
    settings.STAFF_TWO_FACTOR = True
    client = sign_in(anna)
    for webhook_endpoint in ("/account/", "/account/me/", "/api/v1/connections/", "/metrics/"):
        assert client.get(webhook_endpoint).status_code != 200, webhook_endpoint


def test_a_phone_that_was_removed_leaves_no_backup_code(anna: User) -> None:
    boris = User.objects.create_superuser("boris@partner.example", PASSWORD)
    session, codes = set_up(boris)
    rows = [str(Authenticator.objects.get(user=boris).pk)]
    sign_in(anna).post(
        "/admin/accounts/authenticator/", {"action": "forget", "_selected_action": rows, "confirmed": "yes"}
    )
    assert not BackupCode.objects.exists()
    boris.refresh_from_db()
    with later(60):
        set_up(boris)
    assert not enters(session)
    assert not enters_with(sign_in(boris), codes[0])


def test_a_set_up_ends_when_another_session_finishes_one(anna: User) -> None:
    send_link(anna)
    link = link_in_email()
    one, other = sign_in(anna), sign_in(anna)
    one.get(link)
    other.get(link)
    begun = show_key(other)
    type_code(one, code_of(show_key(one)))
    type_code(other, code_of(begun))
    assert Authenticator.objects.get().key != begun
    assert not enters(other)


def test_a_code_that_changed_something_opens_no_other_session(anna: User) -> None:
    client, _codes = set_up(anna)
    with later(60):
        code = present_code(anna)
        client.post(PAGE, {"do": "codes", "password": PASSWORD, "code": code})
        assert not enters_with(sign_in(anna), code)


@pytest.mark.parametrize("distance", [-60, 90])
def test_a_code_of_another_time_opens_nothing(anna: User, distance: int) -> None:
    set_up(anna)
    with later(300 + distance):
        code = present_code(anna)
    with later(300):
        assert not enters_with(sign_in(anna), code)


def test_another_password_from_an_administrator_leaves_the_factor(anna: User) -> None:
    boris = User.objects.create_superuser("boris@partner.example", PASSWORD)
    set_up(boris)
    new = {"password1": "another horse 9", "password2": "another horse 9", "usable_password": "true"}
    sign_in(anna).post(f"/admin/accounts/user/{boris.pk}/password/", new)
    client = sign_in(boris, "another horse 9")
    assert "_auth_user_id" in client.session
    assert not enters(client)


def test_a_member_who_was_an_owner_meanwhile_keeps_the_second_factor(anna: User) -> None:
    boris = User.objects.create_superuser("boris@partner.example", PASSWORD)
    set_up(boris)
    User.objects.filter(pk=boris.pk).update(is_staff=False)
    User.objects.filter(pk=boris.pk).update(is_staff=True)
    assert not enters(sign_in(boris))
