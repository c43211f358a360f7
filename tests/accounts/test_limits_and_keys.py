"""Limits for each calling address, closed staff sign-ins and API keys work as documented."""

import pytest
from django.core.management import call_command
from django.test import Client, RequestFactory
from pytest_django.fixtures import Settings

from accounts import limits
from accounts.models import ApiKey, User
from tests.response import Response

pytestmark = pytest.mark.django_db


@pytest.fixture
def administrator() -> User:
    return User.objects.create_superuser("Staff@example.com", "right-password")


def sign_in(client: Client, password: str, address: str = "192.0.2.1") -> Response:
    form = {"username": "staff@EXAMPLE.com", "password": password}
    return client.post("/admin/login/?next=/admin/", form, REMOTE_ADDR=address)


def test_staff_sign_in_by_email_without_case(client: Client, administrator: User) -> None:
    assert sign_in(client, "right-password").status_code == 302


def test_a_staff_sign_in_closes_after_ten_failures(client: Client, administrator: User) -> None:
    for _ in range(10):
        assert sign_in(client, "wrong").status_code == 200
    assert sign_in(client, "right-password").status_code == 200, "closed, even for the right password"


def test_failures_in_one_network_close_a_sign_in_there_alone(client: Client, administrator: User) -> None:
    """Otherwise anybody who knows an address could lock its owner out. All of them count as ten of the hundred."""
    for last in range(1, 121):
        sign_in(client, "wrong", f"192.0.2.{last}")
    assert sign_in(client, "right-password", "192.0.2.200").status_code == 200
    assert sign_in(client, "right-password", "198.51.100.1").status_code == 302


def test_a_sign_in_closes_after_a_hundred_failures_of_all_networks(client: Client, administrator: User) -> None:
    for number in range(100):
        sign_in(client, "wrong", f"10.0.{number // 10}.1")
    assert sign_in(client, "right-password", "198.51.100.1").status_code == 200


def test_a_new_password_opens_a_closed_sign_in(client: Client, administrator: User) -> None:
    """A new password shows that an administrator, or the owner's mailbox, vouches for the person."""
    for _ in range(10):
        sign_in(client, "wrong")
    administrator.set_password("another-password")
    administrator.save()
    assert sign_in(client, "right-password").status_code == 200
    assert sign_in(client, "another-password").status_code == 302


def test_too_many_arrivals_from_one_address_are_refused(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ARRIVALS", limits.Limit("arrivals", 2, 60))
    answers = [client.get("/connect/?salon_id=x").status_code for _ in range(3)]
    assert answers == [400, 400, 429]
    assert 0 < int(client.get("/connect/?salon_id=x")["Retry-After"]) <= 60
    assert client.get("/connect/?salon_id=x", REMOTE_ADDR="10.0.0.9").status_code == 400


@pytest.mark.parametrize(
    ("seconds", "language", "said"),
    [
        (1, "en", "wait 1 minute and"),
        (61, "en", "wait 2 minutes and"),
        (3600, "en", "wait 60 minutes and"),
        (900, "ru", "15 минут и"),
        (1300, "uk", "22 хвилини та"),
    ],
)
def test_a_caller_over_the_limit_reads_how_long_to_wait(
    client: Client, monkeypatch: pytest.MonkeyPatch, seconds: int, language: str, said: str
) -> None:
    monkeypatch.setattr(limits.Limit, "hit", lambda *_: seconds)
    for page in ("/account/sign-in/", "/connect/"):
        answer = client.generic("POST" if "sign-in" in page else "GET", f"{page}?lang={language}")
        assert (answer.status_code, answer["Retry-After"]) == (429, str(seconds))
        assert said in answer.content.decode()


def test_the_address_behind_a_proxy_is_the_one_the_proxy_saw(rf: RequestFactory, settings: Settings) -> None:
    request = rf.get("/", HTTP_X_FORWARDED_FOR="1.1.1.1, 2.2.2.2")
    assert limits.client_address(request) == "127.0.0.1"
    settings.BEHIND_HTTPS = True
    assert limits.client_address(request) == "2.2.2.2"


def make_key(capsys: pytest.CaptureFixture[str], *scopes: str) -> str:
    call_command("create_api_key", "Test", "--scopes", *scopes)
    return capsys.readouterr().out.splitlines()[-1]


def get(client: Client, key: str) -> Response:
    return client.get("/api/v1/connections/", headers={"Authorization": f"Api-Key {key}"})


def test_a_key_opens_what_its_scopes_name(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    assert get(client, make_key(capsys, "read")).status_code == 200
    assert get(client, make_key(capsys, "billing", "sms")).status_code == 403


def test_a_missing_wrong_or_revoked_key_is_answered_with_401(
    client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    key = make_key(capsys, "read")
    ApiKey.objects.update(revoked=True)
    assert client.get("/api/v1/connections/").status_code == 401
    assert get(client, key).status_code == 401
    assert get(client, "nonsense").status_code == 401


def test_only_the_hash_of_a_key_is_stored(capsys: pytest.CaptureFixture[str]) -> None:
    key = make_key(capsys, "read")
    assert key.split(".")[1] not in str(ApiKey.objects.values().get())


def test_guessing_keys_is_slowed_down(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.api_keys.BAD_API_KEYS", limits.Limit("bad-api-keys", 2, 60))
    assert [get(client, "guess").status_code for _ in range(3)] == [401, 401, 429]


def test_a_good_key_is_not_limited_by_wrong_keys_from_the_same_address(
    client: Client, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accounts.api_keys.BAD_API_KEYS", limits.Limit("bad-api-keys", 1, 60))
    key = make_key(capsys, "read")
    assert [get(client, "guess").status_code for _ in range(2)] == [401, 429]
    assert get(client, key).status_code == 200


def test_an_unavailable_cache_limits_nobody(client: Client, settings: Settings) -> None:
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1"}
    }
    assert client.get("/connect/?salon_id=x").status_code == 400
    assert limits.ARRIVALS.hit("somebody") == 0
