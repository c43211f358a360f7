"""Two-factor sign-in for staff: set up by themselves, asked at every sign-in, guessed by nobody."""

import base64
import re
from datetime import timedelta

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone
from django_otp.oath import TOTP

from accounts.models import Authenticator, BackupCode, User

pytestmark = pytest.mark.django_db
PAGE = "/admin/two-factor/"


@pytest.fixture
def anna() -> User:
    return User.objects.create_superuser("anna@partner.example", "correct horse")


def sign_in(user: User, password: str = "correct horse") -> Client:
    client = Client()
    client.post("/admin/login/?next=/admin/", {"username": user.email, "password": password})
    return client


def present_code(user: User) -> str:
    return f"{TOTP(base64.b32decode(Authenticator.objects.get(user=user).key)).token():06d}"


def set_up(user: User) -> list[str]:
    """What Anna does in her first sign-in; returns her backup codes."""
    client = sign_in(user)
    client.get(PAGE)
    answer = client.post(PAGE, {"code": present_code(user)})
    return re.findall(r"<li><code>([0-9a-f-]+)</code>", answer.content.decode())


def enters(client: Client) -> bool:
    return client.get("/admin/").status_code == 200


def later(seconds: int) -> time_machine.travel:
    """Enough for the next code, or the end of a pause."""
    return time_machine.travel(timezone.now() + timedelta(seconds=seconds), tick=True)


def test_without_the_setting_and_without_an_app_the_password_is_enough(anna):
    assert enters(sign_in(anna))


def test_with_the_setting_staff_are_led_to_the_set_up(anna, settings):
    settings.STAFF_TWO_FACTOR = True
    client = sign_in(anna)
    page = client.get("/admin/integrations/connection/", follow=True)
    assert page.redirect_chain[-1][0].startswith(PAGE)
    text = page.content.decode()
    assert "<svg" in text
    assert not re.search(r' style=|src="(https?:)?//', text)
    assert "no-store" in page.headers["Cache-Control"]


def test_the_first_code_lets_in_and_shows_the_backup_codes_once(anna, settings):
    settings.STAFF_TWO_FACTOR = True
    client = sign_in(anna)
    client.get(PAGE)
    answer = client.post(PAGE, {"code": present_code(anna)})
    assert len(re.findall(r"<li><code>", answer.content.decode())) == 8
    assert enters(client)
    assert "<li><code>" not in client.get(PAGE).content.decode()
    assert LogEntry.objects.get().user == anna


def test_who_has_an_app_is_asked_also_without_the_setting(anna):
    set_up(anna)
    client = sign_in(anna)
    assert not enters(client)
    with later(60):
        answer = client.post(PAGE, {"code": present_code(anna), "next": "/admin/integrations/alarm/"})
        assert answer.headers["Location"] == "/admin/integrations/alarm/"
        assert enters(client)


def test_the_way_on_leads_to_no_other_site(anna):
    set_up(anna)
    client = sign_in(anna)
    with later(60):
        answer = client.post(PAGE, {"code": present_code(anna), "next": "https://evil.example/"})
    assert answer.headers["Location"] == "/admin/"


def test_a_code_is_taken_once(anna):
    set_up(anna)
    assert not enters_with(sign_in(anna), present_code(anna))


def enters_with(client: Client, code: str) -> bool:
    client.post(PAGE, {"code": code})
    return enters(client)


def test_a_backup_code_is_taken_once(anna):
    code = set_up(anna)[0]
    assert enters_with(sign_in(anna), code)
    assert not enters_with(sign_in(anna), code)


def test_another_persons_backup_code_is_not_taken(anna):
    code = set_up(anna)[0]
    other = User.objects.create_superuser("boris@partner.example", "correct horse")
    set_up(other)
    assert not enters_with(sign_in(other), code)


def test_after_a_wrong_code_even_the_right_one_has_to_wait(anna):
    set_up(anna)
    with later(60):
        client = sign_in(anna)
        client.post(PAGE, {"code": "000000"})
        assert not enters_with(client, present_code(anna))
    with later(120):
        assert enters_with(client, present_code(anna))


def test_ten_wrong_codes_close_the_password_too(anna):
    set_up(anna)
    client = sign_in(anna)
    for _ in range(10):
        client.post(PAGE, {"code": "000000"})
    assert "_auth_user_id" not in sign_in(anna).session


def test_wrong_passwords_still_close_the_sign_in(anna):
    for _ in range(10):
        sign_in(anna, "wrong")
    assert "_auth_user_id" not in sign_in(anna).session


def test_without_the_password_the_page_tells_nothing(anna):
    owner = User.objects.create_user("owner@salon.example", "correct horse")
    client = Client()
    assert client.get(PAGE).status_code == 302
    client.force_login(owner)
    assert client.get(PAGE).status_code == 302
    assert not Authenticator.objects.exists()


def test_no_key_and_no_backup_code_stands_in_the_database_in_clear(anna):
    from django.db import connection

    codes = set_up(anna)
    with connection.cursor() as cursor:
        cursor.execute("SELECT key FROM accounts_authenticator")
        assert Authenticator.objects.get().key not in cursor.fetchone()[0]
    stored = set(BackupCode.objects.values_list("digest", flat=True))
    assert not stored & {code.replace("-", "") for code in codes}


def test_a_key_that_was_shown_and_left_is_replaced(anna):
    client = sign_in(anna)
    client.get(PAGE)
    old = present_code(anna)
    client.get(PAGE)
    client.post(PAGE, {"code": old})
    assert not Authenticator.objects.filter(confirmed=True).exists()


def test_an_administrator_removes_a_lost_phone(anna):
    support = User.objects.create_user("support@partner.example", "correct horse", is_staff=True)
    set_up(support)
    client = sign_in(anna)
    row = Authenticator.objects.get()
    data = {"action": "forget", "_selected_action": row.pk, "confirmed": "yes"}
    page = client.get("/admin/accounts/authenticator/")
    assert row.key not in page.content.decode()
    client.post("/admin/accounts/authenticator/", data)
    assert enters(sign_in(support))
    assert LogEntry.objects.filter(user=anna).exists()


def test_staff_renew_their_backup_codes_and_change_the_phone(anna):
    old = set_up(anna)[0]
    client = sign_in(anna)
    with later(60):
        client.post(PAGE, {"code": present_code(anna)})
        new = re.findall(r"<li><code>([0-9a-f-]+)", client.post(PAGE, {"do": "codes"}).content.decode())
        assert not enters_with(sign_in(anna), old)
    with later(120):
        assert enters_with(sign_in(anna), new[0])
        client.post(PAGE, {"do": "replace"})
        assert not Authenticator.objects.filter(confirmed=True).exists()
