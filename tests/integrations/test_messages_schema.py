"""The API's schema describes messages and calls."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from jsonschema_rs import is_valid

from integrations.telephony.intake import MAX_CALLS

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


def _described(client: Client, path: str, method: str) -> dict[str, Any]:
    """Return an operation of the schema with its components in place of the references to them."""
    schema = client.get("/api/v1/schema/", headers={"Accept": "application/json"}).json()

    def whole(part: Any) -> Any:
        if isinstance(part, list):
            return [whole(piece) for piece in part]
        if not isinstance(part, dict):
            return part
        if "$ref" in part:
            return whole(schema["components"]["schemas"][part["$ref"].rpartition("/")[2]])
        return {name: whole(piece) for name, piece in part.items()}

    operation: dict[str, Any] = whole(schema["paths"][f"/api/v1/{path}"][method])
    return operation


def _body(described: dict[str, Any]) -> Any:
    return described["content"]["application/json"]["schema"]


def test_a_call_without_a_status_is_described(client: Client) -> None:
    answer = _body(_described(client, "telephony/calls/{id}/", "get")["responses"]["200"])
    assert is_valid(answer["properties"]["status"], "")
    assert is_valid(answer["properties"]["status"], "missed")
    assert not is_valid(answer["properties"]["status"], "lost")


def test_a_list_of_calls_is_described_with_a_result_for_each(client: Client) -> None:
    operation = _described(client, "telephony/calls/", "post")
    request, answer = _body(operation["requestBody"]), _body(operation["responses"]["202"])
    call = {"salon_id": 10101, "type": "incoming", "phone": "+36301234567", "diversion": "101"}
    assert is_valid(request, call)
    assert is_valid(request, [call] * MAX_CALLS)
    assert not is_valid(request, [])
    assert not is_valid(request, [call] * (MAX_CALLS + 1))
    assert is_valid(answer, [{"code": 400, "problems": {"type": ["Write it."]}}])
    assert not is_valid(answer, [{"problems": {}}])
    assert not is_valid(answer, {"code": 400, "problems": {}})


def test_a_gateways_word_is_described_as_a_status(client: Client) -> None:
    request = _body(_described(client, "sms/statuses/", "post")["requestBody"])
    price = {"payment_sum": 0.05, "currency_iso": "EUR", "parts_amount": 1}
    assert is_valid(request, [{"id": 1, "status": "DELIVRD", **price}, {"id": 1, "status": "UNDELIV"}])
    assert is_valid(request, [{"id": 1, "status": 1, **price}, {"id": 1, "status": 2}])
    assert not is_valid(request, [{"id": 1, "status": 3}])
    assert not is_valid(request, [{"id": 1, "status": 1}])


def test_only_what_is_asked_for_by_its_id_can_be_missing(client: Client) -> None:
    """A list is empty where nothing fits, and a cursor that was made up is 400."""
    schema = client.get("/api/v1/schema/", headers={"Accept": "application/json"}).json()
    may_be_missing = {
        name for name, operation in _operations(schema) if name.startswith("GET") and "404" in operation["responses"]
    }
    assert {name for name in may_be_missing if "{" not in name} == set()
    assert "GET /api/v1/payments/{id}/" in may_be_missing


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
