"""The API's message ids, which may be texts or numbers and keep their form."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers


@extend_schema_field({"oneOf": [{"type": "string"}, {"type": "integer"}]})
class MessageIdField(serializers.Field[Any, Any, Any, Any]):
    """A message's id as text or as a number, for the schema; it is shown as it is."""

    def to_representation(self, value: str | int) -> str | int:
        return value
