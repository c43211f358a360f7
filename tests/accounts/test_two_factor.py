"""The second factor is asked of staff at every sign-in, and cannot be guessed."""

import re
from unittest.mock import Mock

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.contrib.auth.hashers import MD5PasswordHasher
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import Authenticator, BackupCode, User
from tests.accounts.two_factor import (
    PAGE,
    PASSWORD,
    enters,
    enters_with,
    later,
    present_code,
    set_up,
    sign_in,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna() -> User:
    return User.objects.create_superuser("anna@partner.example", PASSWORD)


def test_without_the_setting_and_without_an_app_the_password_is_enough(anna: User) -> None:
    assert enters(sign_in(anna))


def test_the_first_code_lets_in_and_shows_the_backup_codes_once(anna: User, settings: Settings) -> None:
    settings.STAFF_TWO_FACTOR = True
    client, codes = set_up(anna)
    assert len(codes) == 8
    assert enters(client)
    assert "<li><code>" not in client.get(PAGE).content.decode()
    assert LogEntry.objects.get().user == anna


def test_a_member_with_an_app_is_asked_even_without_the_setting(anna: User) -> None:
    set_up(anna)
    client = sign_in(anna)
    assert not enters(client)
    with later(60):
        answer = client.post(PAGE, {"code": present_code(anna), "next": "/admin/alerts/alert/"})
        assert answer.headers["Location"] == "/admin/alerts/alert/"
        assert enters(client)


def test_the_way_on_leads_to_no_other_site(anna: User) -> None:
    set_up(anna)
    client = sign_in(anna)
    with later(60):
        answer = client.post(PAGE, {"code": present_code(anna), "next": "https://evil.example/"})
    assert answer.headers["Location"] == "/admin/"


def test_a_code_is_taken_once(anna: User) -> None:
    with time_machine.travel(timezone.now(), tick=False):  # a code lasts to the next half minute
        set_up(anna)
        assert not enters_with(sign_in(anna), present_code(anna))


def test_a_backup_code_is_taken_once(anna: User) -> None:
    _client, codes = set_up(anna)
    assert enters_with(sign_in(anna), codes[0])
    assert not enters_with(sign_in(anna), codes[0])


@pytest.mark.parametrize("number", ["0", "2", "9", ""])
def test_a_backup_code_counts_under_its_own_number_alone(anna: User, number: str) -> None:
    _client, codes = set_up(anna)
    assert not enters_with(sign_in(anna), number + codes[0][1:])


def test_another_persons_backup_code_is_not_taken(anna: User) -> None:
    _client, codes = set_up(anna)
    other = User.objects.create_superuser("boris@partner.example", PASSWORD)
    set_up(other)
    assert not enters_with(sign_in(other), codes[0])


def test_after_a_wrong_code_even_the_right_one_has_to_wait(anna: User) -> None:
    set_up(anna)
    with later(60):
        client = sign_in(anna)
        client.post(PAGE, {"code": "000000"})
        assert not enters_with(client, present_code(anna))
    with later(120):
        assert enters_with(client, present_code(anna))


def test_ten_wrong_codes_close_the_password_too(anna: User) -> None:
    set_up(anna)
    client = sign_in(anna)
    for _ in range(10):
        client.post(PAGE, {"code": "000000"})
    assert "_auth_user_id" not in sign_in(anna).session


def test_wrong_passwords_still_close_the_sign_in(anna: User) -> None:
    for _ in range(10):
        sign_in(anna, "wrong")
    assert "_auth_user_id" not in sign_in(anna).session


def test_without_the_password_the_page_tells_nothing(anna: User) -> None:
    owner = User.objects.create_user("owner@salon.example", "correct horse")
    client = Client()
    assert client.get(PAGE).status_code == 302
    client.force_login(owner)
    assert client.get(PAGE).status_code == 302


def test_no_key_and_no_backup_code_stands_in_the_database_in_clear(anna: User) -> None:
    _client, codes = set_up(anna)
    with connection.cursor() as cursor:
        cursor.execute("SELECT key FROM accounts_authenticator")
        assert Authenticator.objects.get().key not in cursor.fetchone()[0]
    stored = " ".join(BackupCode.objects.values_list("digest", flat=True))
    assert not [code for code in codes if code[2:] in stored or code.replace("-", "") in stored]


def test_backup_codes_are_as_long_as_a_key_and_hashed_like_passwords(anna: User) -> None:
    _client, codes = set_up(anna)
    assert all(len(re.sub("[^a-z2-7]", "", code[2:])) * 5 >= 80 for code in codes)
    assert {digest.split("$")[0] for digest in BackupCode.objects.values_list("digest", flat=True)} == {"md5"}


@pytest.mark.parametrize("code", ["1-aaaa-bbbb-cccc-dddd", "9-aaaa-bbbb-cccc-dddd", "x", "12345678"])
def test_one_hash_is_checked_whatever_the_code_is(anna: User, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    set_up(anna)
    client = sign_in(anna)
    encode = Mock(side_effect=MD5PasswordHasher().encode)
    monkeypatch.setattr(MD5PasswordHasher, "encode", encode)
    assert not enters_with(client, code)
    assert encode.call_count == 1
