"""Shared fixtures of the marketplace's features: a connected location, and a system with an API key."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import ApiKey, User
from integrations.connections.models import Application, Chain, Connection
from sandbox import Sandbox
from tests import marketplace
from tests.response import Api, Response
from tests.working import Work


@pytest.fixture
def arrive(client: Client, altegio: Sandbox, work: Work) -> Callable[..., None]:
    """Return a function: the owner presses Connect, and the workers do what follows."""

    def run(salon_id: int, application_id: int = 1) -> None:
        marketplace.arrive(client, altegio, salon_id, application_id=application_id)
        work()

    return run


@pytest.fixture
def connect(arrive: Callable[..., None]) -> Callable[..., Connection]:
    """Return a function that makes a new connection, accepted by Altegio."""

    def run(salon_id: int = 10101, *, kind: str = "sms", application_id: int = 1) -> Connection:
        Application.objects.get_or_create(altegio_id=application_id, defaults={"kind": kind})
        arrive(salon_id, application_id)
        return Connection.objects.get(location__altegio_id=salon_id, application__altegio_id=application_id)

    return run


@pytest.fixture
def connected(arrive: Callable[..., None]) -> Connection:
    """Return the connection of location 10101, accepted by Altegio."""
    arrive(10101)
    return Connection.objects.get()


@pytest.fixture
def reconnect(arrive: Callable[..., None]) -> Callable[[Connection], Connection]:
    """Return a function by which the owner reconnects an uninstalled location; it returns the new connection."""

    def run(ended: Connection) -> Connection:
        arrive(ended.location.altegio_id, ended.application.altegio_id)
        return Connection.objects.filter(location=ended.location, pk__gt=ended.pk).get()

    return run


@pytest.fixture
def telephony(connect: Callable[..., Connection]) -> Chain:
    """Return a chain that has connected its telephony; its location is 10101."""
    chain: Chain | None = connect(10101, kind="telephony", application_id=2).location.chain
    assert chain is not None
    return chain


@pytest.fixture
def api(db: None, client: Client) -> Api:
    """Return a function that calls the API as one of the partner's systems that has called before."""
    _key, secret = ApiKey.objects.create_key(
        name="gateway", scopes=["sms", "telephony", "read"], last_used_at=timezone.now()
    )

    def call(method: str, path: str, body: object = None, secret: str = secret) -> Response:
        send: Api = getattr(client, method)
        return send(
            f"/api/v1/{path}",
            data=body,
            content_type="application/json",
            headers={"Authorization": f"Api-Key {secret}"},
        )

    return call


@pytest.fixture
def support(db: None) -> User:
    """Return a member of staff who decides."""
    return User.objects.create_user("support@example.com", is_staff=True)
