"""`/api/v1/telephony/`."""

from functools import partial
from typing import Any

from django.conf import settings
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from integrations.altegio.wire import parse_id
from integrations.api.warnings import WarningSerializer
from integrations.telephony import parsing
from integrations.telephony.call_notifications import notify_of_call
from integrations.telephony.callers import Caller, TelephonyNotConnectedError, UnknownCallerError, caller_of
from integrations.telephony.models import PhoneCall
from integrations.telephony.parsing import ReadCall, decorate
from integrations.telephony.phone_calls import keep_call, save_call

HIDDEN = {"field": "phone", "message": "The caller hides the number: the call is kept here and not told to Altegio."}


STANDS = "Left out. This call_id was told before with another value, and that stands."
NOTIFICATION = frozenset({"salon_group_id", "salon_id", "phone", "diversion", "user"})
ENDED = NOTIFICATION | {"type", "duration", "link", "call_id", "status", "date"}


class PhoneCallConflictError(APIException):
    status_code = status.HTTP_409_CONFLICT


@extend_schema_field({"oneOf": [{"type": "string"}, {"type": "integer"}, {"type": "number"}], "nullable": True})
class AsWrittenField(serializers.Field[Any, Any, Any, Any]):
    """Read by `integrations.telephony.parsing`."""


@extend_schema_field(OpenApiTypes.INT64)
class IdField(serializers.Field[Any, Any, Any, Any]):
    """An id of Altegio's, as a number or as text."""


class NotificationSerializer(serializers.Serializer[dict[str, Any]]):
    """A client is calling now. One of `salon_group_id` and `salon_id` is needed."""

    salon_group_id = IdField(required=False)
    salon_id = IdField(required=False)
    phone = AsWrittenField(
        help_text="The client's number, as the exchange writes it: E.164, national, in a SIP address. Empty, null or "
        'a word like "anonymous" for a caller who hides.'
    )
    diversion = serializers.CharField(help_text="The company's line: its number, or an extension.")
    user = AsWrittenField(required=False, help_text="Who is called: a name or an extension.")


class CallSerializer(NotificationSerializer):
    """A call that has ended. One of `salon_group_id` and `salon_id` is needed."""

    type = serializers.ChoiceField(PhoneCall.Type.choices)
    duration = AsWrittenField(required=False, help_text="Seconds, also with a fraction, or hours:minutes:seconds.")
    link = AsWrittenField(
        required=False, help_text=f"The recording: http or https, at most {parsing.MAX_LINK} characters."
    )
    call_id = AsWrittenField(required=False, help_text="The exchange's id; it makes the call repeatable.")
    status = AsWrittenField(
        required=False, help_text="`success` or `missed`; Asterisk's words (ANSWERED, NO ANSWER, BUSY, …) are read."
    )
    date = AsWrittenField(
        required=False, help_text="ISO 8601, without a zone in `ALTEGIO_TIME_ZONE`; or seconds since 1970."
    )


class NotedSerializer(serializers.Serializer[Any]):
    """What is told to Altegio, with the numbers in E.164; `kept`: the caller hides, and nothing is told."""

    phone = serializers.CharField()
    diversion = serializers.CharField()
    state = serializers.ChoiceField(["queued", "kept"])
    warnings = WarningSerializer(many=True)


class SavedSerializer(serializers.Serializer[Any]):
    """A saved call and how far Altegio is with it."""

    phone = serializers.CharField()
    diversion = serializers.CharField()
    call_id = serializers.CharField()
    state = serializers.ChoiceField(PhoneCall.State.choices)
    error = serializers.CharField()


class TakenCallSerializer(SavedSerializer):
    """The answer to a call told: the call, what was left out of it, and what it says otherwise than at first."""

    warnings = WarningSerializer(many=True)


class Notifications(APIView):
    """Call notifications: told within 15 seconds, or dropped.

    What only decorates one is left out where it cannot be sent on, and named in `warnings`, as is an unknown field.
    """

    scope = "telephony"
    judges_texts = True

    @extend_schema(request=NotificationSerializer, responses={202: NotedSerializer, 400: None, 404: None, 409: None})
    def post(self, request: Request) -> Response:
        caller, call = _read(request.data, is_ended=False)
        if not call.is_hidden:
            notify_of_call(caller.chain, **call.payload)
        shown = {name: call.payload[name] for name in ("phone", "diversion")}
        state = "kept" if call.is_hidden else "queued"
        return Response({**shown, "state": state, "warnings": call.warnings}, status=202)


class Calls(APIView):
    """Saved calls. The same `call_id` again answers 200 and is not sent twice.

    What only decorates a call and cannot be sent on (a recording's address, an odd duration, an unknown field) is
    left out, and named in `warnings`. A caller who hides is kept here (`state: kept`), and not told to Altegio, which
    wants a number. What the same `call_id` says otherwise than at first, `warnings` name, too: the first stands.
    """

    scope = "telephony"
    judges_texts = True

    @extend_schema(
        request=CallSerializer,
        responses={202: TakenCallSerializer, 200: TakenCallSerializer, 400: None, 404: None, 409: None},
    )
    def post(self, request: Request) -> Response:
        caller, call = _read(request.data, is_ended=True)
        saved, is_new = (keep_call if call.is_hidden else save_call)(caller.chain, **call.payload)
        warnings = call.warnings + ([] if is_new else _differing(saved, call))
        body = {**SavedSerializer(saved).data, "warnings": warnings}
        return Response(body, status=202 if is_new else 200)


def _differing(saved: PhoneCall, call: ReadCall) -> list[dict[str, str]]:
    """A warning for each thing that this call says otherwise than when its `call_id` was told first."""
    names = sorted(name for name, value in call.payload.items() if value != getattr(saved, name))
    return [{"field": name, "message": STANDS} for name in names]


def _read(raw: Any, *, is_ended: bool) -> tuple[Caller, ReadCall]:
    """Whose call it is, and what to tell of it."""
    if not isinstance(raw, dict):
        raise ValidationError({"non_field_errors": ["Send a JSON object."]})
    caller = _caller(raw)
    call, problems = ReadCall({}), {}

    def need(name: str, read: Any) -> Any:
        try:
            return read(raw[name])
        except KeyError:
            problems[name] = ["This field is required."]
        except ValueError as why:
            problems[name] = [str(why)]

    kind = need("type", parsing.read_type) if is_ended else PhoneCall.Type.INCOMING
    inside = kind == PhoneCall.Type.INTERNAL
    call.payload["phone"] = need("phone", partial(parsing.read_client, region=caller.region, inside=inside))
    line = need("diversion", partial(parsing.read_line, region=caller.region))
    if is_ended and raw.get("call_id") not in (None, ""):
        call.payload["call_id"] = need("call_id", parsing.read_call_id)
    if problems:
        raise ValidationError(problems)
    call.payload["diversion"], odd = line
    call.warnings += [{"field": "diversion", "message": odd}] if odd else []
    call.warnings += [HIDDEN] if call.is_hidden else []
    decorate(call, raw, {"user": parsing.read_user})
    for name in sorted(raw.keys() - (ENDED if is_ended else NOTIFICATION)):
        call.warnings.append({"field": name[:100], "message": "Left out. There is no such field."})
    if is_ended:
        call.payload["type"] = kind
        decorate(call, raw, DECORATION | {"date": partial(parsing.read_date, zone=settings.ALTEGIO_TIME_ZONE)})
    return caller, call


DECORATION = {"duration": parsing.read_duration, "link": parsing.read_link, "status": parsing.read_status}


def _caller(raw: dict[str, Any]) -> Caller:
    place = {name: parse_id(raw[name]) for name in ("salon_group_id", "salon_id") if raw.get(name) not in (None, "")}
    if wrong := [name for name, number in place.items() if number is None]:
        raise ValidationError({name: ["Write a number of 1 to 18 digits."] for name in wrong})
    if not place:
        name = "salon_id" if "salon_id" in raw else "salon_group_id"
        raise ValidationError({name: ["Name the chain in salon_group_id, or a location in salon_id."]})
    try:
        return caller_of(place.get("salon_group_id"), place.get("salon_id"))
    except UnknownCallerError as unknown:
        raise NotFound(str(unknown)) from None
    except TelephonyNotConnectedError as why:
        raise PhoneCallConflictError(str(why)) from None
