"""An address works without its trailing slash, and no write is answered by a redirect."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLResolver, get_resolver
from pytest_django.fixtures import Settings

from billing.models import Payment
from integrations.lifecycle.models import Callback
from tests.billing.conftest import JANUARY, Billing, billing, connect, connection  # noqa: F401 - fixtures
from tests.wsgi_calls import call

pytestmark = pytest.mark.django_db
WRITES = ("post", "put", "patch", "delete")
FREEZE = {"salon_id": 1, "application_id": 1, "event": "freeze", "partner_token": "partner-token-of-the-tests"}


def addresses(resolver: URLResolver, prefix: str = "/") -> Iterator[str]:
    """Yield every address that the portal knows, with an example for each of its parts."""
    for pattern in resolver.url_patterns:
        path = prefix + str(pattern.pattern).lstrip("^")
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern, path)
        else:
            yield path


def example(path: str) -> str:
    while "<" in path:
        before, _, rest = path.partition("<")
        path = f"{before}1{rest.partition('>')[2]}"
    return path


ADDRESSES = sorted({example(path) for path in addresses(get_resolver()) if path.endswith("/") and "(?P" not in path})


def test_the_walk_finds_the_addresses() -> None:
    assert {"/api/v1/payments/", "/api/v1/payments/1/refund/", "/altegio/callback/", "/account/sign-in/"} <= {
        *ADDRESSES
    }


@pytest.mark.parametrize("path", ADDRESSES)
def test_no_write_is_sent_on_to_the_address_with_the_slash(client: Client, path: str) -> None:
    for method in WRITES:
        answer = getattr(client, method)(path.rstrip("/") or "/", {}, content_type="application/json")
        assert answer.status_code not in (301, 308), method
        assert answer.get("Location", "") != path, method


@pytest.mark.parametrize("path", [path for path in ADDRESSES if path.startswith(("/api/", "/healthz", "/readyz"))])
def test_a_program_reads_the_same_without_the_slash(client: Client, path: str) -> None:
    slashless, usual = client.get(path.rstrip("/")), client.get(path)
    assert (slashless.status_code, slashless["Content-Type"]) == (usual.status_code, usual["Content-Type"])


def test_a_payment_reported_without_the_slash_is_accepted(billing: Billing, connection: Any) -> None:  # noqa: F811
    answer = billing.post("payments", {"external_id": "bill", **JANUARY})
    assert (answer.status_code, answer.json()["status"]) == (202, "queued")
    assert billing.post(f"payments/{answer.json()['id']}/refund").status_code == 202
    assert billing.get("payments?external_id=bill").json()["results"][0]["status"] == "cancelled"
    assert Payment.objects.count() == 1


def test_altegios_calls_are_stored_without_the_slash(short_path: Any, settings: Settings) -> None:
    settings.ALTEGIO_PARTNER_TOKEN = FREEZE["partner_token"]
    assert call(short_path, "/altegio/callback", json.dumps(FREEZE).encode())["status"] == 200
    assert call(short_path, "/altegio/events/unknown", b"{}")["status"] == 404
    assert Callback.objects.count() == 1


def test_a_page_is_redirected_to_its_address(client: Client) -> None:
    assert client.get("/account/sign-in?next=x")["Location"] == "/account/sign-in/?next=x"
    assert client.get("/connect?salon_id=1")["Location"] == "/connect/?salon_id=1"


@pytest.mark.parametrize("method", WRITES)
def test_a_write_over_http_is_refused_with_a_sentence(client: Client, settings: Settings, method: str) -> None:
    settings.BEHIND_HTTPS, settings.PORTAL_URL = True, "https://portal.example.com"
    answer = getattr(client, method)("/api/v1/payments/", headers={"X-Forwarded-Proto": "http"})
    assert answer.status_code == 400
    assert "https://portal.example.com" in answer.json()["detail"]
