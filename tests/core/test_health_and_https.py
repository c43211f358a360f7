"""Health pages report what is wrong, and the portal works behind a proxy."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import InterfaceError, OperationalError, connection
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from integrations.backoffice import health
from integrations.outbox.models import Attempt, OutgoingCall, Priority
from sandbox import Sandbox
from tests.marketplace import AURORA_1, follow

pytestmark = pytest.mark.django_db


def test_a_running_process_says_that_it_is_alive(client: Client) -> None:
    assert client.get("/healthz/").content == b"ok"


def test_ready_names_what_is_wrong(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(health.CHECKS, "broker", lambda: "")
    answer = client.get("/readyz/")
    assert answer.status_code == 503
    assert list(answer.json()["wrong"]) == ["worker"]

    cache.set(health.HEARTBEAT, time.time())
    assert client.get("/readyz/").status_code == 200


@pytest.mark.parametrize(
    ("priority", "turn", "is_sending", "is_wrong"),
    [
        (Priority.MONEY, 0, True, True),
        (Priority.ACTIVATION, 3, True, False),
        (Priority.HOUSEKEEPING, 0, True, False),
        (Priority.HOUSEKEEPING, 0, False, True),
        (Priority.MONEY, 1, False, True),
    ],
)
def test_a_long_line_that_moves_on_pages_nobody(
    client: Client, priority: Priority, turn: int, is_sending: bool, is_wrong: bool
) -> None:
    now, long_ago = timezone.now(), timezone.now() - timedelta(minutes=3)
    OutgoingCall.objects.create(kind="x", key="1", due_at=long_ago, priority=priority, turn=turn)
    other = OutgoingCall.objects.create(kind="x", key="2", due_at=now, state="done", priority=priority)
    newest = Attempt.objects.create(call=other, number=1, purpose="send", method="GET", url="https://altegio.example")
    Attempt.objects.filter(pk=newest.pk).update(started_at=now if is_sending else long_ago)
    assert (health.what_is_wrong(["calls"]) != {}) is is_wrong


def test_an_unavailable_database_is_reported_not_raised(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> str:
        raise OperationalError

    monkeypatch.setitem(health.CHECKS, "database", away)
    assert client.get("/readyz/").json()["wrong"]["database"] == "OperationalError"


@pytest.mark.parametrize("broken", [OperationalError, InterfaceError])
def test_an_api_caller_is_asked_to_retry_while_the_database_is_away(client: Client, broken: Any) -> None:
    def away(*_query: object) -> None:
        raise broken("the server closed the connection")

    with connection.execute_wrapper(away):
        answer = client.get("/api/v1/connections/", headers={"Authorization": "Api-Key some.key"})
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert answer.json() == {"detail": "Not done: send the same again."}


@pytest.mark.parametrize("broken", [OperationalError, InterfaceError])
def test_an_owner_is_asked_to_come_back_while_the_database_is_away(
    client: Client, altegio: Sandbox, broken: Any
) -> None:
    def away(*_query: object) -> None:
        raise broken("the server closed the connection")

    client.raise_request_exception = False
    with connection.execute_wrapper(away):
        answer = follow(client, altegio, AURORA_1)
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "try again in a minute" in answer.content.decode()


def test_a_request_that_reached_the_proxy_over_http_goes_to_https(client: Client, settings: Settings) -> None:
    settings.BEHIND_HTTPS, settings.PORTAL_URL = True, "https://portal.example.com"
    answer = client.get("/account/?a=1", headers={"X-Forwarded-Proto": "http"})
    assert (answer.status_code, answer["Location"]) == (301, "https://portal.example.com/account/?a=1")
    assert client.get("/healthz/").status_code == 200
