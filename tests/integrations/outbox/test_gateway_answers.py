"""What a gateway writes in Altegio's place proves nothing: neither a yes nor a no, and nothing about the token."""

from typing import Any

import pytest
from django.test import Client

from integrations.connections.models import Connection
from integrations.outbox.token_stop import token_is_stopped
from sandbox import Sandbox
from tests.marketplace import AURORA_1, arrive
from tests.working import Work

pytestmark = pytest.mark.django_db
NO_ROUTE = {"message": "no Route matched with those values"}


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {"ok": True}),
        (200, {"status": "maintenance"}),
        (200, []),
        (401, {"message": "Unauthorized"}),
        (401, "<h1>401</h1>"),
        (403, {"message": "Forbidden"}),
        (404, NO_ROUTE),
        (404, ""),
        (405, ""),
        (410, ""),
    ],
)
def test_an_activation_goes_on_after_the_answer_of_a_gateway(
    client: Client, altegio: Sandbox, work: Work, status: int, body: Any
) -> None:
    altegio.fault("error", "activate", status=status, body=body)
    arrive(client, altegio, AURORA_1)
    work()
    assert Connection.objects.get().state == "active"
    assert len(altegio.requests("activate", AURORA_1)) == 2
    assert not token_is_stopped()


@pytest.mark.parametrize("status", [403, 404, 422])
def test_an_activation_ends_by_altegios_own_refusal(
    client: Client, altegio: Sandbox, work: Work, status: int
) -> None:
    body = {"success": False, "data": None, "meta": {"message": "No."}}
    altegio.fault("error", "activate", status=status, body=body, remaining=None)
    arrive(client, altegio, AURORA_1)
    work()
    assert Connection.objects.get().state == "failed"


def test_altegios_own_401_stops_every_call(client: Client, altegio: Sandbox, work: Work) -> None:
    body = {"success": False, "data": None, "meta": {"message": "Bad token."}}
    altegio.fault("error", "activate", status=401, body=body)
    arrive(client, altegio, AURORA_1)
    work()
    assert token_is_stopped()
