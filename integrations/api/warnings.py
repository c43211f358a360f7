"""Warnings of the API about parts of a request that it left out."""

from typing import Any

from rest_framework import serializers


class WarningSerializer(serializers.Serializer[Any]):
    """A part that could not be forwarded, and why."""

    field = serializers.CharField()
    message = serializers.CharField()
