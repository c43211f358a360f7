"""No spelling, address, process or moment gives more guesses than the limit."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import time_machine
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core import mail
from django.test import Client, RequestFactory
from pytest_django.fixtures import Settings

from accounts import limits
from accounts.emails import send_waiting_emails
from accounts.models import Authenticator, BackupCode, OutgoingEmail, User
from accounts.password_reset import send_reset_link
from accounts.sign_in import PasswordBackend
from accounts.totp import new_backup_codes, normal
from accounts.two_factor import rules
from tests.concurrency import at_once
from tests.not_none import not_none

PASSWORD = "correct horse battery"


@pytest.fixture
def administrator(db: None) -> User:
    return User.objects.create_superuser("kristin@partner.example", PASSWORD)


def tries(email: str | None, password: str = "wrong") -> User | None:
    return PasswordBackend().authenticate(None, username=email, password=password)


@pytest.mark.parametrize(
    "spelling",
    [
        "KRISTIN@partner.example",
        "  kristin@Partner.Example ",
        "\u212aristin@partner.example",  # the sign for kelvin: its small e-mail is k
        "kr\u0131stin@partner.example",  # an i without its dot: its capital is I
        "kri\u017ftin@partner.example",  # the long s: its capital is S
        "kr\u0131\u017ftin@partner.example",
        "\uff4bristin@partner.example",
    ],
)
def test_no_spelling_of_an_address_opens_a_closed_account(administrator: User, spelling: str) -> None:
    for _ in range(10):
        assert tries(administrator.email) is None
    assert tries(spelling, PASSWORD) is None


@pytest.mark.parametrize("lookalike", ["kr\u0131stin@partner.example", "kri\u017ftin@partner.example"])
def test_an_address_that_only_looks_like_another_is_another(
    administrator: User, client: Client, lookalike: str
) -> None:
    """Otherwise its owner would get the other's e-mails or pass for them."""
    assert tries(lookalike, PASSWORD) is None
    owner = User.objects.create_user(not_none(administrator.email).replace("partner", "owner"), PASSWORD)
    client.post("/account/reset/", {"email": lookalike.replace("partner", "owner")})
    assert send_waiting_emails() == 0
    assert not OutgoingEmail.objects.exists()
    client.post("/account/reset/", {"email": not_none(owner.email).upper()})
    assert send_waiting_emails() == 1
    assert OutgoingEmail.objects.get().person == owner


@pytest.mark.django_db
def test_a_header_does_not_make_another_caller(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind the proxy only the last entry counts, which the proxy wrote; without one, no header does."""
    monkeypatch.setattr(limits, "ARRIVALS", limits.Limit("arrivals", 2, 60))

    def arrive(forwarded: str) -> int:
        return Client().get("/connect/?salon_id=x", headers={"X-Forwarded-For": forwarded}).status_code

    assert [arrive(f"10.0.0.{number}") for number in range(3)][-1] == 429
    settings.BEHIND_HTTPS = True
    assert [arrive(f"10.0.0.{number}, 203.0.113.7") for number in range(3)][-1] == 429


def test_an_ipv6_network_is_one_caller(rf: RequestFactory) -> None:
    def caller(address: str) -> str:
        return limits.client_address(rf.get("/", REMOTE_ADDR=address))

    assert caller("2001:db8:0:1::1") == caller("2001:db8:0:1:ffff::9")
    assert caller("2001:db8:0:1::1") != caller("2001:db8:0:2::1")
    assert caller("::ffff:192.0.2.1") == caller("192.0.2.1") != caller("::ffff:192.0.2.2")
    assert caller("::1") == "::/64"


@pytest.mark.parametrize(
    "spellings",
    [
        [f"198.51.100.9:{port}" for port in range(4000, 4075)],
        [f"[2001:db8::1]:{port}" for port in range(4000, 4075)],
        [f"2001:db8::{number:x}%eth{number}" for number in range(75)],
        [f'"[2001:db8::{number:x}]:{number}"' for number in range(75)],
        [f"[2001:DB8:0:0::{number:x}]" for number in range(75)],
        [f"::ffff:198.51.100.9{' ' * number}" for number in range(75)],
        [f"2002:c633:6409:{number:x}::1" for number in range(75)],
        [f"unknown-{number}" for number in range(75)],
        [f"_{number}" for number in range(75)],
        [f"198.51.100.009.{number}" for number in range(75)],
        [f"198.51.100.9:{number}:{number}" for number in range(75)],
        ["", ",", "[]", "[", "]:1", "%", ":", "1", "0x7f.1", "127.1", "999.1.1.1"],
    ],
)
def test_no_spelling_of_a_network_address_is_another_caller(
    rf: RequestFactory, settings: Settings, spellings: Any
) -> None:
    settings.BEHIND_HTTPS = True
    callers = {
        limits.client_address(rf.get("/", headers={"X-Forwarded-For": f"10.9.8.7, {spelling}"}))
        for spelling in spellings
    }
    assert len(callers) == 1


@pytest.mark.django_db
def test_wrong_keys_are_counted_under_the_address_and_not_its_port(client: Client, settings: Settings) -> None:
    settings.BEHIND_HTTPS = True
    for guess in ("198.51.100.9:{}", "[2001:db8::1]:{}", "no-address-{}"):
        answers = [
            client.get(
                "/api/v1/connections/",
                headers={
                    "Authorization": "Api-Key guess.ed",
                    "X-Forwarded-Proto": "https",
                    "X-Forwarded-For": guess.format(port),
                },
            ).status_code
            for port in range(75)
        ]
        assert 429 in answers


@pytest.mark.django_db(transaction=True)
def test_simultaneous_attempts_are_all_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty attempts come at once, and no more than ten passwords are checked."""
    User.objects.create_superuser("kristin@partner.example", PASSWORD)
    looked_at: list[str] = []

    def check(self: object, password: str, *_: object) -> bool:
        looked_at.append(password)
        return False

    monkeypatch.setattr(MD5PasswordHasher, "verify", check)
    at_once(*[lambda guess=f"guess {number}": tries("kristin@partner.example", guess) for number in range(20)])
    assert len(looked_at) == 10


def test_a_limit_counts_what_comes_at_the_same_moment() -> None:
    limit = limits.Limit("together", 5, 3600)
    together = threading.Barrier(20)

    def come(_number: int) -> int:
        together.wait(timeout=10)
        return limit.hit("somebody")

    with ThreadPoolExecutor(20) as threads:
        waits = list(threads.map(come, range(20)))
    assert waits.count(0) == 5


def test_a_closed_account_stays_closed_to_the_end_of_the_window(administrator: User) -> None:
    """The window is longer than a cache's default lifetime."""
    with time_machine.travel(time.time(), tick=False) as clock:
        for _ in range(10):
            tries(administrator.email)
        clock.shift(890)
        assert tries(administrator.email, PASSWORD) is None


def test_right_passwords_use_no_attempts(administrator: User) -> None:
    for _ in range(15):
        assert tries(administrator.email, PASSWORD) == administrator


def test_emails_to_one_address_are_limited_whatever_requests_them(db: None) -> None:
    User.objects.create_user("emma@owner.example", PASSWORD)
    with time_machine.travel(time.time(), tick=False) as clock:
        for number in range(12):
            Client(REMOTE_ADDR=f"192.0.{number}.1").post("/account/reset/", {"email": "Emma@Owner.example"})
            send_waiting_emails()
            clock.shift(61)
    assert len(mail.outbox) == 6


@pytest.mark.django_db(transaction=True)
def test_simultaneous_codes_are_not_checked_together(monkeypatch: pytest.MonkeyPatch, rf: RequestFactory) -> None:
    """After a wrong code the next is checked a second later, even if twenty come at once."""
    request = rf.post("/admin/two-factor/")
    request.user = User.objects.create_superuser("kristin@partner.example", PASSWORD)
    Authenticator.objects.create(user=request.user, name="app")
    looked_at: list[str] = []

    def step(_key: str, code: str, **_: int) -> None:
        looked_at.append(code)

    monkeypatch.setattr(rules, "step_of", step)
    with time_machine.travel(time.time(), tick=False):
        answers = at_once(*[lambda code=f"{number:06d}": rules.show_factor(request, code) for number in range(20)])
    assert answers == [False] * 20
    assert len(looked_at) == 1


@pytest.mark.django_db(transaction=True)
def test_a_backup_code_sent_ten_times_at_once_opens_once() -> None:
    user = User.objects.create_superuser("kristin@partner.example", PASSWORD)
    authenticator = Authenticator.objects.create(user=user, name="app")
    code, digest = next(iter(new_backup_codes().items()))
    BackupCode.objects.create(authenticator=authenticator, number=1, digest=digest)
    # This is past the pause after an attempt, which alone would let one through.
    answers = at_once(*[lambda: rules._takes_backup(authenticator, normal(code))] * 10)
    assert sorted(answers) == [False] * 9 + [True]


@pytest.mark.django_db(transaction=True)
def test_simultaneous_password_resets_are_limited() -> None:
    at_once(*[lambda: send_reset_link("emma@owner.example", "a network")] * 20)
    assert OutgoingEmail.objects.count() <= 2, "one a minute"
