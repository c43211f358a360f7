"""The API's schema describes messages and calls."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


def test_the_schema_holds_the_calls_of_the_interface(client: Client) -> None:
    schema = client.get("/api/v1/schema/", headers={"Accept": "application/json"})
    text = schema.content.decode()
    for path in (
        "/api/v1/connections/resolve-api-key/",
        "/api/v1/locations/{salon_id}/sender-names/",
        "/api/v1/sms/statuses/",
        "/api/v1/telephony/notifications/",
        "/api/v1/telephony/calls/",
    ):
        assert path in text


def _named_in(part: Any) -> Iterator[str]:
    """Yield the components that this part of the schema refers to."""
    if isinstance(part, dict):
        if "$ref" in part:
            yield part["$ref"].rpartition("/")[2]
        part = list(part.values())
    if isinstance(part, list):
        for piece in part:
            yield from _named_in(piece)


def _operations(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def test_no_client_must_send_a_read_only_field(client: Client) -> None:
    """Client generators for TypeScript require each required field of a body to be sent."""
    schema = client.get("/api/v1/schema/", headers={"Accept": "application/json"}).json()
    components = schema["components"]["schemas"]
    wanted = {
        f"{name}: {component}.{field}"
        for name, operation in _operations(schema)
        for component in _named_in(operation.get("requestBody", {}))
        for field in components[component].get("required", [])
        if components[component]["properties"][field].get("readOnly")
    }
    assert wanted == set()


def test_a_location_is_a_number_wherever_it_stands(client: Client) -> None:
    schema = client.get("/api/v1/schema/", headers={"Accept": "application/json"}).json()
    types = {
        (name, parameter["in"]): parameter["schema"]["type"]
        for name, operation in _operations(schema)
        for parameter in operation.get("parameters", [])
        if parameter["name"] == "salon_id"
    }
    assert ("GET /api/v1/locations/{salon_id}/sender-names/", "path") in types
    assert set(types.values()) == {"integer"}
