"""`/api/v1/connections/`: connections, the partner's ids on them, and disconnecting."""

from operator import attrgetter

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from integrations.connections.external_ids import set_external_id
from integrations.connections.models import SHOWN_STATES, Connection, Location, owner_email
from integrations.location_profiles.models import LocationPerson
from integrations.status_sync.disconnect import NotConnectedError, disconnect
from partner_portal.core.external_ids import MAX_EXTERNAL_ID, read_external_id
from partner_portal.core.list_parameters import UPDATED_SINCE, choice, number, words


class PersonSerializer(serializers.ModelSerializer[LocationPerson]):
    """Somebody who may manage the location's users at Altegio; known where there is a user token."""

    class Meta:
        model = LocationPerson
        fields = ("altegio_user_id", "name", "email", "phone")
        read_only_fields = fields


class LocationSerializer(serializers.ModelSerializer[Location]):
    """The location's data at Altegio; empty until it has been fetched."""

    time_zone = serializers.CharField(source="timezone_name")
    currency = serializers.CharField(source="profile.currency", default="")
    people = PersonSerializer(many=True)

    class Meta:
        model = Location
        fields = ("country", "city", "address", "time_zone", "currency", "in_business", "people")
        read_only_fields = fields


class ConnectionSerializer(serializers.ModelSerializer[Connection]):
    """A connection as the partner's own systems see it."""

    application_id = serializers.IntegerField(source="application.altegio_id")
    salon_id = serializers.IntegerField(source="location.altegio_id")
    salon_group_id = serializers.IntegerField(source="location.chain.altegio_id", default=None, allow_null=True)
    title = serializers.CharField(source="location.title")
    location = LocationSerializer()
    state = serializers.SerializerMethodField()
    reason = serializers.CharField(help_text="Why it has this state, in English.")
    frozen_at = serializers.DateTimeField(allow_null=True, help_text="Since when it is frozen; else null.")
    owner_id = serializers.IntegerField(allow_null=True, help_text="The owner's account; null while nobody is bound.")
    owner_email = serializers.SerializerMethodField()
    owner_name = serializers.SerializerMethodField()
    owner_phone = serializers.SerializerMethodField()
    owner_altegio_user_id = serializers.SerializerMethodField(
        help_text="The Altegio user who was linked to the owner's account first."
    )
    external_id = serializers.SerializerMethodField(help_text="Your own id of it, or of its customer.")

    class Meta:
        model = Connection
        fields = (
            "id",
            "application_id",
            "salon_id",
            "salon_group_id",
            "title",
            "location",
            "state",
            "reason",
            "arrived_at",
            "deadline_at",
            "activated_at",
            "frozen_at",
            "ended_at",
            "trial_ends_at",
            "paid_until",
            "next_payment_at",
            "owner_id",
            "owner_email",
            "owner_name",
            "owner_phone",
            "owner_altegio_user_id",
            "external_id",
            "updated_at",
        )
        read_only_fields = fields

    @extend_schema_field(serializers.ChoiceField(list(SHOWN_STATES.values())))
    def get_state(self, connection: Connection) -> str:
        return SHOWN_STATES[connection.state]

    def get_owner_email(self, connection: Connection) -> str | None:
        return owner_email(connection.owner)

    def get_owner_name(self, connection: Connection) -> str | None:
        return (connection.owner.name or None) if connection.owner else None

    def get_owner_phone(self, connection: Connection) -> str | None:
        return (connection.owner.phone or None) if connection.owner else None

    def get_owner_altegio_user_id(self, connection: Connection) -> int | None:
        linked = connection.owner.identities.all() if connection.owner else ()
        return min(linked, key=attrgetter("pk")).altegio_user_id if linked else None

    def get_external_id(self, connection: Connection) -> str | None:
        return connection.external_id or None


class ExternalIdSerializer(serializers.Serializer[dict[str, str]]):
    """The partner's own id of this connection; null or "" clears it."""

    external_id = serializers.CharField(
        max_length=MAX_EXTERNAL_ID, allow_null=True, allow_blank=True, trim_whitespace=False
    )

    def validate_external_id(self, text: str | None) -> str:
        try:
            return read_external_id(text) if text else ""
        except ValueError as problem:
            raise serializers.ValidationError(str(problem)) from None


def shown_connections() -> QuerySet[Connection]:
    """Return connections with what their representation needs, in three queries."""
    shown = Connection.objects.select_related("application", "location__chain", "location__profile", "owner")
    return shown.prefetch_related("location__people", "owner__identities")


class ConnectionList(ListAPIView[Connection]):
    """Connections, newest first."""

    scope = "read"
    serializer_class = ConnectionSerializer
    parameters = {
        "salon_id": number("location__altegio_id"),
        "application_id": number("application__altegio_id"),
        "state": choice("state", {shown: stored for stored, shown in SHOWN_STATES.items()}),
        "external_id": words("external_id", MAX_EXTERNAL_ID, "Your own id; a customer's finds all they have."),
        "updated_since": UPDATED_SINCE,
    }

    def get_queryset(self) -> QuerySet[Connection]:
        return shown_connections()


class ConnectionUninstall(APIView):
    """Disconnect a connection: the uninstall call is queued once. 409 for one that never was connected."""

    scope = "billing"

    @extend_schema(request=None, responses={202: ConnectionSerializer, 409: None})
    def post(self, _request: Request, pk: int) -> Response:
        get_object_or_404(Connection, pk=pk)
        try:
            disconnect(pk, by=None, why="The partner's system disconnected it.")
        except NotConnectedError as reason:
            return Response({"detail": str(reason)}, status=409)
        return Response(ConnectionSerializer(shown_connections().get(pk=pk)).data, status=202)


class ConnectionDetail(RetrieveAPIView[Connection]):
    """One connection."""

    scope = "read"
    scopes = {"PATCH": "customers"}
    serializer_class = ConnectionSerializer

    @extend_schema(request=ExternalIdSerializer, responses=ConnectionSerializer)
    def patch(self, request: Request, pk: int) -> Response:
        """Give this connection the partner's own id, in place of its customer's; null clears it."""
        asked = ExternalIdSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        get_object_or_404(Connection, pk=pk)
        set_external_id(pk, asked.validated_data["external_id"])
        return Response(ConnectionSerializer(shown_connections().get(pk=pk)).data)

    def get_queryset(self) -> QuerySet[Connection]:
        return shown_connections()
