"""A secret is compared in constant time or found by its hash, so the time of an answer reveals nothing."""

import ast
import hmac
import inspect
import re
import secrets
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.models import ApiKey
from integrations.altegio import signatures
from integrations.lifecycle import callback_endpoint as callbacks
from integrations.webhooks import endpoint as events
from partner_portal.core import metrics
from partner_portal.core.encryption import same

pytestmark = pytest.mark.django_db


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, object]]:
    """Return the arguments of each `hmac.compare_digest`."""
    asked: list[tuple[object, object]] = []
    compare = hmac.compare_digest

    def note(left: bytes, right: bytes) -> bool:
        asked.append((left, right))
        return compare(left, right)

    for module in (hmac, secrets):
        monkeypatch.setattr(module, "compare_digest", note)
    return asked


def test_the_partner_token_of_a_callback_is_compared_in_constant_time(
    client: Client, compared: list[tuple[object, object]]
) -> None:
    client.post("/altegio/callback/", {"partner_token": "guess"}, content_type="application/json")
    assert any(b"guess" in pair for pair in compared)


def test_the_signature_of_user_data_is_compared_in_constant_time(compared: list[tuple[object, object]]) -> None:
    assert not signatures.is_signed("key", b"data", "guess")
    assert any(b"guess" in pair for pair in compared)


def test_the_metrics_token_is_compared_in_constant_time(
    client: Client, settings: Settings, compared: list[tuple[object, object]]
) -> None:
    settings.METRICS_TOKEN = "right"
    client.get("/metrics/", headers={"Authorization": "Bearer guess"})
    assert any("guess" in str(pair) for pair in compared)


def test_an_api_key_is_found_by_its_prefix_and_compared_as_a_hash(
    client: Client, compared: list[tuple[object, object]]
) -> None:
    key, secret = ApiKey.objects.create_key(name="gateway", scopes=["read"])
    guess = f"{secret.split('.')[0]}.guess"
    answer = client.get("/api/v1/connections/", headers={"Authorization": f"Api-Key {guess}"})
    assert answer.status_code == 401
    assert any(key.hashed_key.split("$")[-1] in str(pair) for pair in compared)


@pytest.mark.parametrize("module", [callbacks, events, signatures, metrics])
def test_no_secret_is_compared_with_equals(module: Any) -> None:
    compared = [node for node in ast.walk(ast.parse(inspect.getsource(module))) if isinstance(node, ast.Compare)]
    equals = [ast.unparse(node) for node in compared if isinstance(node.ops[0], ast.Eq | ast.NotEq)]
    secret = re.compile("token|signature|expected|key_hash|authorization", re.IGNORECASE)
    assert [text for text in equals if secret.search(text)] == []


def test_text_that_no_encoding_knows_is_compared_too() -> None:
    assert same("\ud800", "\ud800")
    assert not same("\ud800", "?")
