"""Fixtures for attacks: a key to every part of the API, and a browser that sees server errors as answers."""

import pytest
from django.test import Client

from accounts.api_keys import SCOPES
from accounts.models import ApiKey
from integrations.connections.models import Application, Connection
from sandbox import Sandbox
from tests import marketplace
from tests.response import Api, Response
from tests.working import Work


@pytest.fixture
def anybody() -> Client:
    """Return an anonymous client, to whom a failure of the portal is a 500."""
    return Client(raise_request_exception=False)


@pytest.fixture
def api_key(db: None) -> str:
    """Return a key with every scope."""
    _key, secret = ApiKey.objects.create_key(name="attacker", scopes=list(SCOPES))
    return secret


@pytest.fixture
def post(anybody: Client, api_key: str) -> Api:
    """Return a function that sends bytes to the API with a valid key."""

    def send(path: str, body: bytes, content_type: str = "application/json") -> Response:
        headers = {"Authorization": f"Api-Key {api_key}"}
        return anybody.generic("POST", f"/api/v1/{path}", body, content_type, headers=headers)

    return send


@pytest.fixture
def connections(client: Client, altegio: Sandbox, work: Work) -> list[Connection]:
    """Return a location's connections for text messages and for telephony."""
    kinds = {1: "sms", 2: "telephony"}
    for application_id, kind in kinds.items():
        Application.objects.create(altegio_id=application_id, kind=kind)
        marketplace.arrive(client, altegio, marketplace.AURORA_1, application_id=application_id)
    work()
    return list(Connection.objects.filter(state="active").order_by("application__altegio_id"))
