"""`/api/v1/telephony/`."""

from typing import Any

from django.conf import settings
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from integrations.altegio.wire import parse_id
from integrations.telephony.callers import Caller, NotConnected, UnknownPlace, caller_of
from integrations.telephony.models import SavedCall
from integrations.telephony.notifications import notify_of_call
from integrations.telephony.numbers import BadNumber, e164, is_extension
from integrations.telephony.saved_calls import save_call
from partner_portal.moments import BadMoment, read_moment

MOST_SECONDS = 7 * 24 * 3600


class Conflict(APIException):
    status_code = status.HTTP_409_CONFLICT


@extend_schema_field(OpenApiTypes.INT64)
class IdField(serializers.Field[int, Any, int, Any]):
    """An id of Altegio's, as a number or as text."""

    def to_internal_value(self, data: Any) -> int:
        found = parse_id(data)
        if found is None:
            raise serializers.ValidationError("Write a number of 1 to 18 digits.")
        return found

    def to_representation(self, value: int) -> int:
        return value


@extend_schema_field(OpenApiTypes.DATETIME)
class MomentField(serializers.Field[Any, Any, str, Any]):
    """ISO 8601; without a zone it is read in `ALTEGIO_TIME_ZONE`."""

    def to_internal_value(self, data: Any) -> Any:
        try:
            return read_moment(data, settings.ALTEGIO_TIME_ZONE)
        except BadMoment as problem:
            raise serializers.ValidationError(str(problem)) from None

    def to_representation(self, value: Any) -> str:
        return str(value.isoformat())


class NotificationSerializer(serializers.Serializer[dict[str, Any]]):
    """A client is calling now. One of `salon_group_id` and `salon_id` is needed."""

    salon_group_id = IdField(required=False)
    salon_id = IdField(required=False)
    phone = serializers.CharField(max_length=40)
    diversion = serializers.CharField(max_length=40)
    user = serializers.CharField(max_length=100, required=False, allow_blank=True, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "salon_group_id" not in attrs and "salon_id" not in attrs:
            raise serializers.ValidationError({"salon_group_id": "Name the chain, or a location in salon_id."})
        return attrs


class CallSerializer(NotificationSerializer):
    """A call that has ended."""

    type = serializers.ChoiceField(SavedCall.Type.choices)
    duration = serializers.IntegerField(min_value=0, max_value=MOST_SECONDS, required=False, allow_null=True)
    link = serializers.URLField(max_length=1000, required=False, allow_blank=True, allow_null=True)
    call_id = serializers.CharField(max_length=100, required=False, allow_blank=True, allow_null=True)
    status = serializers.ChoiceField(SavedCall.Status.choices, required=False, allow_blank=True, allow_null=True)
    date = MomentField(required=False, allow_null=True)


class NotedSerializer(serializers.Serializer[Any]):
    """What is told to Altegio, with the numbers in E.164."""

    phone = serializers.CharField()
    diversion = serializers.CharField()


class SavedSerializer(NotedSerializer):
    """A saved call and how far Altegio is with it."""

    call_id = serializers.CharField()
    state = serializers.ChoiceField(SavedCall.State.choices)
    error = serializers.CharField()


class Notifications(APIView):
    """Call notifications: told within 15 seconds, or dropped."""

    scope = "telephony"

    @extend_schema(request=NotificationSerializer, responses={202: NotedSerializer, 404: None, 409: None})
    def post(self, request: Request) -> Response:
        caller, told = _read(NotificationSerializer(data=request.data))
        notify_of_call(caller.chain, **told)
        return Response({"phone": told["phone"], "diversion": told["diversion"]}, status=202)


class Calls(APIView):
    """Saved calls. The same `call_id` again answers 200 and is not sent twice."""

    scope = "telephony"

    @extend_schema(
        request=CallSerializer, responses={202: SavedSerializer, 200: SavedSerializer, 404: None, 409: None}
    )
    def post(self, request: Request) -> Response:
        caller, told = _read(CallSerializer(data=request.data))
        saved, is_new = save_call(caller.chain, **told)
        return Response(SavedSerializer(saved).data, status=202 if is_new else 200)


def _read(asked: NotificationSerializer) -> tuple[Caller, dict[str, Any]]:
    """Whose call it is, and what to tell of it. Empty fields are left out."""
    asked.is_valid(raise_exception=True)
    told = {name: value for name, value in asked.validated_data.items() if value not in (None, "")}
    try:
        caller = caller_of(told.pop("salon_group_id", None), told.pop("salon_id", None))
    except UnknownPlace as unknown:
        raise NotFound(str(unknown)) from None
    except NotConnected as why:
        raise Conflict(str(why)) from None
    inside = told.get("type") == SavedCall.Type.INTERNAL
    for name in ("phone", "diversion"):
        told[name] = _number(name, told[name], caller.region, inside=inside)
    return caller, told


def _number(name: str, text: str, region: str | None, *, inside: bool) -> str:
    if inside and is_extension(text):
        return text
    try:
        return e164(text, region)
    except BadNumber as bad:
        raise serializers.ValidationError({name: [str(bad)]}) from None
