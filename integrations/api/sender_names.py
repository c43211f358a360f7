"""`/api/v1/locations/{salon_id}/sender-names/`: the sender names of a location."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from integrations.altegio.wire import parse_id
from integrations.connections.models import Connection, SyncState
from integrations.sender_names.models import SenderNameList
from integrations.sender_names.names import (
    InvalidSenderNamesError,
    list_of,
    names_in_force,
    replace_names,
    sender_connection,
)


class NamesSerializer(serializers.Serializer[dict[str, Any]]):
    """The whole list of sender names, 1 to 20 of them."""

    names = serializers.ListField(child=serializers.CharField(), min_length=1, max_length=20)


class SyncedNamesSerializer(serializers.Serializer[dict[str, Any]]):
    """The list, and whether Altegio has it; before the first list is sent, it is empty and the state null."""

    names = serializers.ListField(child=serializers.CharField())
    sync_state = serializers.ChoiceField(SyncState.choices, allow_null=True)
    error = serializers.CharField()


class SenderNames(APIView):
    """The sender names of a location's text messages."""

    scope = "sms"

    @extend_schema(responses=SyncedNamesSerializer)
    def get(self, request: Request, salon_id: str) -> Response:
        connection = _connection(salon_id)
        return Response(shown_names(list_of(connection)))

    @extend_schema(request=NamesSerializer, responses={202: SyncedNamesSerializer})
    def put(self, request: Request, salon_id: str) -> Response:
        """Replace the whole list. Missing names are withdrawn."""
        connection = _connection(salon_id)
        wanted = request.data.get("names") if isinstance(request.data, dict) else None
        if not isinstance(wanted, list):
            raise ValidationError({"names": ["Send the whole list of names."]})
        try:
            names = replace_names(connection, wanted)
        except InvalidSenderNamesError as bad:
            raise ValidationError({"names": _by_index(bad)}) from None
        return Response(shown_names(names), status=202)


def _connection(salon_id: str) -> Connection:
    known = parse_id(salon_id)
    connection = sender_connection(known) if known is not None else None
    if connection is None:
        raise NotFound("This location has no connection that sends text messages.")
    return connection


def _by_index(bad: InvalidSenderNamesError) -> Any:
    """Return the errors of a list as DRF writes them: by index, or for the list as a whole."""
    if None in bad.problems:
        return [bad.problems[None]]
    return {str(index): [problem] for index, problem in bad.problems.items()}


def shown_names(names: SenderNameList | None) -> dict[str, Any]:
    """Return a list as the API shows it."""
    if names is None:
        return {"names": [], "sync_state": None, "error": ""}
    return {"names": names_in_force(names), "sync_state": names.sync_state, "error": names.sync_error}
