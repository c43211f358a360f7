"""How the API names what it left out of what it took."""

from typing import Any

from rest_framework import serializers


class WarningSerializer(serializers.Serializer[Any]):
    """What could not be sent on, and why."""

    field = serializers.CharField()
    message = serializers.CharField()
