"""Additions to the OpenAPI schema of every operation: its scope, and the errors it may be refused with."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.serializers import PolymorphicProxySerializerExtension
from drf_spectacular.utils import PolymorphicProxySerializer
from rest_framework.serializers import Serializer

from partner_portal.core.api_scopes import scope_of

_TEXT = {"type": "object", "properties": {"detail": {"type": "string"}}, "required": ["detail"]}
_FIELDS = {
    "type": "object",
    "description": "Each wrong field with its reasons, or `detail`.",
    "additionalProperties": {},
}
COMPONENTS = {"Refusal": _TEXT, "WrongFields": _FIELDS}
_WORDS = {
    "400": "What was sent is wrong.",
    "401": "The API key is missing, wrong, revoked or expired.",
    "403": "The API key lacks the scope `{scope}`.",
    "404": "There is no such thing.",
    "409": "It cannot be done with this as it is.",
    "413": "The body is too large.",
    "415": "The body is not announced as application/json.",
    "429": "Too many wrong API keys came from this address; `Retry-After` says for how many seconds.",
    "503": "Not done, as the database is away; `Retry-After` says after how many seconds to send the same again.",
}
# Passed from a view to the hook below, which removes it from the schema.
BODY_MAY_BE_MISSING = "x-body-may-be-missing"
_OF_ALL, _OF_BODIES, _WITH_FIELDS = ("401", "403", "429", "503"), ("400", "413", "415"), ("400", "409")


class ScopedSchema(AutoSchema):
    """A schema that names the scope that each operation's key needs: in the description, and as `x-scope`."""

    def get_description(self) -> str:  # type: ignore[override]  # as drf-spectacular does
        return f"{super().get_description()}\n\nScope of the API key: `{scope_of(self.view, self.method)}`."

    def get_extensions(self) -> dict[str, Any]:
        own = {
            "x-scope": scope_of(self.view, self.method),
            BODY_MAY_BE_MISSING: getattr(self.view, "body_may_be_missing", False),
        }
        return {**super().get_extensions(), **own}


class OneOrList(PolymorphicProxySerializer):
    """One object, or a list of 1 to `most`: for the schema alone."""

    most = 0


class OneOrListExtension(PolymorphicProxySerializerExtension):  # type: ignore[no-untyped-call]
    target_class = "partner_portal.core.openapi.OneOrList"

    def map_serializer(self, auto_schema: AutoSchema, direction: Any) -> dict[str, Any]:
        """Return the schema, with the bounds that drf-spectacular does not write for a list of objects."""
        either = super().map_serializer(auto_schema, direction)  # type: ignore[no-untyped-call]
        one, several = either["oneOf"]
        return {"oneOf": [one, {**several, "minItems": 1, "maxItems": self.target.most}]}


def one_or_list(name: str, one: type[Serializer[Any]], each: type[Serializer[Any]], most: int) -> OneOrList:
    """Return what describes one object, or a list of up to `most` others, under a name of its own in the schema."""
    described = OneOrList(name, [one, each(many=True)], resource_type_field_name=None, many=False)
    described.most = most
    return described


def with_refusals(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add the error responses to every operation, as a hook of drf-spectacular; a view's own descriptions stay."""
    result["components"]["schemas"].update(COMPONENTS)
    for methods in result["paths"].values():
        for operation in methods.values():
            may_be_missing = operation.pop(BODY_MAY_BE_MISSING)
            if "requestBody" in operation:
                operation["requestBody"]["required"] = not may_be_missing
            for status in _refusals(operation):
                _document(operation, status)
    return result


def with_numbers_of_locations(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Describe `salon_id` as a number, as a hook of drf-spectacular.

    The routes take any word, so that a wrong one is refused in JSON.
    """
    for methods in result["paths"].values():
        for operation in methods.values():
            for parameter in operation.get("parameters", []):
                if parameter["name"] == "salon_id":
                    parameter["schema"] = {"type": "integer", "format": "int64", "minimum": 1}
    return result


def _refusals(operation: dict[str, Any]) -> set[str]:
    found = {*_OF_ALL, *(_WORDS.keys() & operation["responses"].keys())}
    parameters = operation.get("parameters", [])
    if "requestBody" in operation:
        found |= {*_OF_BODIES}
    if any(parameter["in"] == "path" for parameter in parameters):
        found |= {"404"}
    if any(parameter["in"] == "query" for parameter in parameters):
        found |= {"400"}
    return found


def _document(operation: dict[str, Any], status: str) -> None:
    responses = operation["responses"]
    name = "WrongFields" if status in _WITH_FIELDS else "Refusal"
    own = responses.get(status, {}).get("description", "")
    usual = _WORDS[status].format(scope=operation["x-scope"])
    responses[status] = {
        "description": own if own not in ("", "No response body") else usual,
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}},
    }
