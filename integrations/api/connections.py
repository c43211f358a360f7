"""`/api/v1/connections/`."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from integrations.altegio.wire import parse_id
from integrations.lifecycle.disconnect import NotConnected, disconnect
from integrations.models.connection import Connection, State, owner_email


class ConnectionSerializer(serializers.ModelSerializer[Connection]):
    """A connection as the partner's own systems see it."""

    application_id = serializers.IntegerField(source="application.altegio_id")
    salon_id = serializers.IntegerField(source="location.altegio_id")
    salon_group_id = serializers.IntegerField(source="location.chain.altegio_id", default=None, allow_null=True)
    title = serializers.CharField(source="location.title")
    owner_email = serializers.SerializerMethodField()

    class Meta:
        model = Connection
        fields = (
            "id",
            "application_id",
            "salon_id",
            "salon_group_id",
            "title",
            "state",
            "arrived_at",
            "deadline_at",
            "activated_at",
            "trial_ends_at",
            "paid_until",
            "next_payment_at",
            "owner_email",
        )
        read_only_fields = fields

    def get_owner_email(self, connection: Connection) -> str | None:
        return owner_email(connection.owner)


def shown_connections() -> QuerySet[Connection]:
    """What a connection's answer needs, in one query."""
    return Connection.objects.select_related("application", "location__chain", "owner")


@extend_schema(
    parameters=[
        OpenApiParameter("salon_id", OpenApiTypes.INT64),
        OpenApiParameter("state", str, enum=State.values),
    ]
)
class ConnectionList(ListAPIView[Connection]):
    """Connections, newest first; `salon_id` and `state` narrow them down."""

    scope = "read"
    serializer_class = ConnectionSerializer

    def get_queryset(self) -> QuerySet[Connection]:
        found = shown_connections()
        asked: dict[str, Any] = self.request.query_params.dict()
        if "salon_id" in asked:
            salon_id = parse_id(asked["salon_id"])
            if salon_id is None:
                raise ValidationError({"salon_id": ["Write a number of 1 to 18 digits."]})
            found = found.filter(location__altegio_id=salon_id)
        if "state" in asked:
            if asked["state"] not in State.values:
                raise ValidationError({"state": [f"Write one of: {', '.join(State.values)}."]})
            found = found.filter(state=asked["state"])
        return found


class ConnectionUninstall(APIView):
    """Disconnect a connection: the uninstall call is queued once. 409 for one that never was connected."""

    scope = "billing"

    @extend_schema(request=None, responses={202: ConnectionSerializer, 409: None})
    def post(self, _request: Request, pk: int) -> Response:
        get_object_or_404(Connection, pk=pk)
        try:
            disconnect(pk, by=None, why="The partner's system disconnected it.")
        except NotConnected as reason:
            return Response({"detail": str(reason)}, status=409)
        return Response(ConnectionSerializer(shown_connections().get(pk=pk)).data, status=202)


class ConnectionDetail(RetrieveAPIView[Connection]):
    """One connection."""

    scope = "read"
    serializer_class = ConnectionSerializer

    def get_queryset(self) -> QuerySet[Connection]:
        return shown_connections()
