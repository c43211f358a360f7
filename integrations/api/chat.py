"""`/api/v1/connections/{id}/chat-…`: a chat bot's panel and signals for Altegio."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import APIException
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from integrations.chat.chat_signals import send_signal
from integrations.chat.models import ChatSignal
from integrations.chat.panels import set_panel
from integrations.chat.reading import MAX_URL, read_panel_url, read_phone
from integrations.connections.models import LIVE, Connection, SyncState


class ConnectionNotLiveError(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_detail = "This connection has ended, or is not active yet: Altegio shows nothing for it."


class PanelSerializer(serializers.Serializer[dict[str, Any]]):
    """The page that Altegio shows as the chat panel: https and public; null removes it."""

    url = serializers.CharField(max_length=MAX_URL, allow_null=True)

    def validate_url(self, url: str | None) -> str:
        return _read(read_panel_url, url) if url is not None else ""


class ShownPanelSerializer(serializers.Serializer[dict[str, Any]]):
    """The panel, and whether Altegio has it. Altegio accepts it even if a limit of its own keeps it hidden."""

    url = serializers.CharField(allow_null=True)
    sync_state = serializers.ChoiceField(SyncState.choices)
    error = serializers.CharField()


class ChatSerializer(serializers.Serializer[dict[str, str]]):
    """What a client wrote."""

    phone = serializers.CharField(max_length=40)
    name = serializers.CharField(max_length=200)
    message = serializers.CharField(max_length=4000)

    def validate_phone(self, phone: str) -> str:
        return _read(read_phone, phone)


class SignalSerializer(serializers.Serializer[dict[str, Any]]):
    """A signal is sent to Altegio within the hour, or dropped."""

    id = serializers.IntegerField()
    state = serializers.ChoiceField(ChatSignal.State.choices)


class ChatPanelView(APIView):
    """The chat panel of a location."""

    scope = "chat"

    @extend_schema(request=PanelSerializer, responses={202: ShownPanelSerializer, 409: None})
    def put(self, request: Request, pk: int) -> Response:
        """Show this page, or none. Of several quick changes the last one counts."""
        asked = PanelSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        panel = set_panel(_connection(pk), asked.validated_data["url"])
        return Response({"url": panel.url or None, "sync_state": panel.sync_state, "error": panel.sync_error}, 202)


class _SignalView(APIView):
    scope = "chat"
    kind: ChatSignal.Kind

    def _send(self, request: Request, pk: int) -> Response:
        asked = ChatSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        signal = send_signal(_connection(pk), self.kind, **asked.validated_data)
        return Response({"id": signal.pk, "state": signal.state}, 202)


class ChatMessages(_SignalView):
    """Messages of clients, shown to the location's people."""

    kind = ChatSignal.Kind.NEW_MESSAGE

    @extend_schema(request=ChatSerializer, responses={202: SignalSerializer, 409: None})
    def post(self, request: Request, pk: int) -> Response:
        """Report that a client has written."""
        return self._send(request, pk)


class ChatHighlights(_SignalView):
    """Chats that are highlighted at Altegio."""

    kind = ChatSignal.Kind.TOGGLE_HIGHLIGHT

    @extend_schema(request=ChatSerializer, responses={202: SignalSerializer, 409: None})
    def post(self, request: Request, pk: int) -> Response:
        """Highlight a chat, or no longer: each call toggles it."""
        return self._send(request, pk)


def _connection(pk: int) -> Connection:
    connection = get_object_or_404(Connection.objects.select_related("application", "location"), pk=pk)
    if connection.state not in LIVE:
        raise ConnectionNotLiveError
    return connection


def _read(read: Any, text: str) -> str:
    try:
        return str(read(text))
    except ValueError as problem:
        raise serializers.ValidationError(str(problem)) from None
