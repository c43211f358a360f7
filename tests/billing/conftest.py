"""Fixtures: a connected location, and a partner's billing system with its key."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import ApiKey
from integrations.connections.models import Connection
from sandbox import Sandbox
from tests.response import Response
from tests.working import Work

SALON, EMMA = 10101, 9001
JANUARY = {
    "salon_id": SALON,
    "amount": "990.99",
    "currency": "EUR",
    "paid_at": "2026-01-01T12:00:00+01:00",
    "period_from": "2026-01-01T00:00:00Z",
    "period_to": "2026-01-31T23:59:59Z",
}


@pytest.fixture
def connect(client: Client, altegio: Sandbox, work: Work) -> Callable[..., Connection]:
    """Return a function by which a salon's owner connects; Altegio accepts unless `activate=False`."""

    def run(salon: int = SALON, *, user_id: int = EMMA, activate: bool = True) -> Connection:
        altegio.grant(salon, user_id=user_id)
        url = altegio.arrival_url(salon, user_id=user_id)
        client.get(url[url.index("/connect/") :])
        if activate:
            work()
        found: Connection = Connection.objects.get(
            location__altegio_id=salon, state="active" if activate else "granted"
        )
        return found

    return run


@pytest.fixture
def connection(connect: Callable[..., Connection]) -> Connection:
    return connect()


class Billing:
    """The partner's own billing system, talking to the portal's API."""

    def __init__(self, client: Client, secret: str) -> None:
        self.client, self.headers, self.sent = client, {"Authorization": f"Api-Key {secret}"}, 0

    def get(self, path: str) -> Response:
        return self.client.get(f"/api/v1/{path}", headers=self.headers)

    def post(self, path: str, body: object = None) -> Response:
        return self.client.post(f"/api/v1/{path}", body, content_type="application/json", headers=self.headers)

    def report(self, **changes: object) -> Response:
        """Report a payment, by default January's, and return the answer."""
        self.sent += 1
        body = {"external_id": f"bill-{self.sent}", **JANUARY, **changes}
        return self.post("payments/", {name: value for name, value in body.items() if value is not ...})

    def pay(self, **changes: object) -> int:
        """Report a payment and return its id."""
        answer = self.report(**changes)
        assert answer.status_code == 202, answer.content
        return int(answer.json()["id"])

    def refund(self, payment: int) -> Response:
        return self.post(f"payments/{payment}/refund/")

    def payment(self, payment: int) -> dict[str, Any]:
        found: dict[str, Any] = self.get(f"payments/{payment}/").json()
        return found


@pytest.fixture
def billing(client: Client, db: None) -> Billing:
    _key, secret = ApiKey.objects.create_key(name="billing", scopes=["billing", "read"], last_used_at=timezone.now())
    return Billing(client, secret)


@pytest.fixture
def settings_for_time_outs(altegio: Sandbox, settings: Settings) -> None:
    """Shorten time-outs, so that one costs a test half a second."""
    settings.ALTEGIO_TIMEOUT_SECONDS = 0.5
