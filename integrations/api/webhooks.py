"""`/api/v1/webhooks/`: the addresses that events are posted to, and the deliveries of each event."""

import time
from typing import Any, cast

from django.conf import settings
from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.generics import ListAPIView, ListCreateAPIView, RetrieveUpdateDestroyAPIView, get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from integrations.connections.models import Application
from integrations.partner_events import endpoints, types
from integrations.partner_events.models import WebhookDelivery, WebhookEndpoint
from integrations.partner_events.reading import without_secrets
from integrations.partner_events.sending import NotAcceptedError, checked_addresses
from partner_portal.core.list_parameters import choice

# Seconds for resolving an address.
LOOK_UP = 5.0
# A limit is needed because each event may go to each address.
MAX_ENDPOINTS = 100
Data = dict[str, Any]


class TypeField(serializers.ChoiceField):
    """A type of event; an error message names the known types."""

    default_error_messages = {"invalid_choice": types.UNKNOWN}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(types.CHOICES, **kwargs)


class EndpointSerializer(serializers.ModelSerializer[WebhookEndpoint]):
    """An address; without `types` it gets events of every type, without `application_id` of every application."""

    url = serializers.URLField(max_length=500)
    types = serializers.ListField(child=TypeField(), required=False)
    application_id = serializers.IntegerField(
        source="application.altegio_id", min_value=1, required=False, allow_null=True, default=None
    )

    class Meta:
        model = WebhookEndpoint
        fields = (
            *("id", "url", "types", "application_id", "description", "is_active", "created_at"),
            *("failing_since", "last_delivered_at"),
        )
        read_only_fields = ("id", "created_at", "failing_since", "last_delivered_at")

    def validate_url(self, url: str) -> str:
        """Return the address. Raises ValidationError unless it is https and its host leads to public addresses only.

        `EVENTS_ALLOW_PRIVATE` lifts both conditions.
        """
        if not url.startswith("https://") and not settings.EVENTS_ALLOW_PRIVATE:
            raise serializers.ValidationError("Write an https address.")
        try:
            checked_addresses(url, time.monotonic() + LOOK_UP)
        except NotAcceptedError as reason:
            raise serializers.ValidationError(str(reason)) from None
        return url

    def validate_application_id(self, altegio_id: int | None) -> int | None:
        """Return the id if the portal knows the application; else raise ValidationError."""
        if altegio_id is not None and not Application.objects.filter(altegio_id=altegio_id).exists():
            raise serializers.ValidationError("There is no such application.")
        return altegio_id

    def validate_types(self, wanted: list[str]) -> list[str]:
        return list(dict.fromkeys(wanted))

    def create(self, validated: Data) -> WebhookEndpoint:
        if WebhookEndpoint.objects.count() >= MAX_ENDPOINTS:
            raise serializers.ValidationError(
                {"url": [f"There are {MAX_ENDPOINTS} addresses already, which is the most: delete one first."]}
            )
        altegio_id = validated.pop("application", {}).get("altegio_id")
        application = Application.objects.filter(altegio_id=altegio_id).first()
        wanted = validated.get("types", [])
        return endpoints.new_endpoint(validated["url"], wanted, application, validated.get("description", ""))

    def update(self, endpoint: WebhookEndpoint, validated: Data) -> WebhookEndpoint:
        changed: Data = {name: validated[name] for name in ("url", "types", "description") if name in validated}
        if "application" in validated and "application_id" in cast("Data", self.initial_data):
            wanted = Application.objects.filter(altegio_id=validated["application"]["altegio_id"])
            changed["application"] = wanted.first()
        return endpoints.change(endpoint, changed, on=validated.get("is_active"))


class EndpointDataSerializer(EndpointSerializer):
    """The data of a new address."""

    class Meta(EndpointSerializer.Meta):
        fields = ("url", "types", "application_id", "description")  # type: ignore[assignment]
        read_only_fields = ()  # type: ignore[assignment]


class NewEndpointSerializer(EndpointSerializer):
    """A new address with its secret, which is shown only now."""

    secret = serializers.CharField(read_only=True)

    class Meta(EndpointSerializer.Meta):
        fields = (*EndpointSerializer.Meta.fields, "secret")  # type: ignore[assignment]


class SecretSerializer(serializers.Serializer[Data]):
    """The new secret, shown once; for 24 hours the former ones sign too."""

    secret = serializers.CharField()


class DeliverySerializer(serializers.ModelSerializer[WebhookDelivery]):
    """The delivery of one event to one address."""

    event_id = serializers.CharField(source="event.message_id")
    type = serializers.CharField(source="event.type")
    attempts = serializers.IntegerField(source="attempt_count")
    delivered_at = serializers.SerializerMethodField()

    class Meta:
        model = WebhookDelivery
        fields = (
            *("id", "event_id", "type", "state", "attempts", "response_status", "error", "duration"),
            *("created_at", "delivered_at"),
        )
        read_only_fields = fields

    def get_delivered_at(self, delivery: WebhookDelivery) -> Any:
        return delivery.finished_at if delivery.state == WebhookDelivery.State.DELIVERED else None


class ReplaySerializer(serializers.Serializer[Data]):
    """Which events are sent again."""

    since = serializers.DateTimeField()
    until = serializers.DateTimeField(required=False)
    types = serializers.ListField(child=TypeField(), required=False, default=list)


class CountSerializer(serializers.Serializer[Data]):
    """How many events are sent again."""

    count = serializers.IntegerField()


class WebhookList(ListCreateAPIView[WebhookEndpoint]):
    """The addresses, newest first; a new one is answered with its secret, once."""

    scope = "webhooks"
    serializer_class = EndpointSerializer
    queryset = without_secrets().select_related("application")

    @extend_schema(request=EndpointDataSerializer, responses={201: NewEndpointSerializer})
    def post(self, request: Request, *_args: Any, **_kwargs: Any) -> Response:
        form = EndpointDataSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        return Response(NewEndpointSerializer(form.save()).data, status=201)


class _OneAddress(APIView):
    """A view of one address, which answers 404 also if the address is deleted during the request."""

    def handle_exception(self, error: Exception) -> Response:
        return super().handle_exception(Http404() if isinstance(error, WebhookEndpoint.DoesNotExist) else error)


class WebhookDetail(_OneAddress, RetrieveUpdateDestroyAPIView[WebhookEndpoint]):
    """One address."""

    scope = "webhooks"
    http_method_names = ["get", "patch", "delete", "head", "options"]
    serializer_class = EndpointSerializer
    queryset = without_secrets().select_related("application")

    @extend_schema(responses={200: EndpointSerializer})
    def delete(self, request: Request, *_args: Any, **_kwargs: Any) -> Response:
        """Delete the address with its deliveries; the answer is the address as it was."""
        endpoint = self.get_object()
        shown = self.get_serializer(endpoint).data
        endpoints.remove(endpoint)
        return Response(shown)


class WebhookTest(_OneAddress):
    """Sends an event of the type `webhook.test` to this address alone, whatever its `types`.

    409 if nothing would be sent: the address is switched off, or there is no application.
    """

    scope = "webhooks"

    @extend_schema(request=None, responses={202: None, 409: None})
    def post(self, _request: Request, pk: int) -> Response:
        endpoint = get_object_or_404(without_secrets(), pk=pk)
        try:
            endpoints.send_test(endpoint)
        except endpoints.NothingToSendError as reason:
            return Response({"detail": str(reason)}, status=409)
        return Response(status=202)


class WebhookRotate(_OneAddress):
    """Gives the address a new secret; for 24 hours the former ones sign too, each with a signature in the header."""

    scope = "webhooks"

    @extend_schema(request=None, responses={200: SecretSerializer})
    def post(self, _request: Request, pk: int) -> Response:
        return Response({"secret": endpoints.rotate_secret(get_object_or_404(without_secrets(), pk=pk))})


class WebhookDeliveries(ListAPIView[WebhookDelivery]):
    """What became of each event at this address, newest first."""

    scope = "webhooks"
    serializer_class = DeliverySerializer
    parameters = {"state": choice("state", {state: state for state in WebhookDelivery.State.values})}

    def get_queryset(self) -> QuerySet[WebhookDelivery]:
        endpoint = get_object_or_404(without_secrets(), pk=self.kwargs["pk"])
        return endpoint.deliveries.select_related("event").defer("event__body")


class WebhookReplay(_OneAddress):
    """Sends the events of a period again to this address, in their order; each keeps its id."""

    scope = "webhooks"

    @extend_schema(request=ReplaySerializer, responses={202: CountSerializer})
    def post(self, request: Request, pk: int) -> Response:
        endpoint = get_object_or_404(without_secrets(), pk=pk)
        form = ReplaySerializer(data=request.data)
        form.is_valid(raise_exception=True)
        asked = form.validated_data
        if (until := asked.get("until")) is not None and until < asked["since"]:
            raise ValidationError({"until": ["Write a moment after `since`."]})
        try:
            count = endpoints.replay(endpoint, asked["since"], until, asked["types"])
        except endpoints.TooManyEventsError as problem:
            raise ValidationError({"until": [str(problem)]}) from None
        return Response({"count": count}, status=202)
