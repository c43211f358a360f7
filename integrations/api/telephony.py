"""`/api/v1/telephony/`: calls that ring, and calls that have ended."""

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from integrations.api.warnings import WarningSerializer
from integrations.telephony import parsing
from integrations.telephony.call_notifications import notify_of_call
from integrations.telephony.intake import MAX_CALLS, OBJECT, find_caller, take_calls
from integrations.telephony.models import PhoneCall
from integrations.telephony.phone_calls import send_again, why_not_again
from integrations.telephony.reading import InvalidCallError, read_ringing
from integrations.telephony.reported_calls import CallOutcome, Result
from integrations.telephony.switched_off import why_silent
from partner_portal.core.english import english as _
from partner_portal.core.list_parameters import choice, number, words
from partner_portal.core.openapi import one_or_list

CODES = {
    CallOutcome.TAKEN: 202,
    CallOutcome.KNOWN: 200,
    CallOutcome.INVALID: 400,
    CallOutcome.UNKNOWN_PLACE: 404,
    CallOutcome.CONFLICT: 409,
}
REPORTED_ALREADY = {
    "field": "phone",
    "message": _("This call was told a moment ago, by another member of a ring group: it is not told twice."),
}
FORMS_ELSEWHERE = (
    "An exchange that sends a form has an address of its own, /api/v1/telephony/exchanges/<name>/: docs/exchanges.md."
)
NOT_FAILED = _("Only a call that has failed is sent again; this one is: {state}. {error}")


@extend_schema_field({"oneOf": [{"type": "string"}, {"type": "number"}], "nullable": True})
class AsWrittenField(serializers.Field[Any, Any, Any, Any]):
    """A field that `integrations.telephony.parsing` reads."""


@extend_schema_field(OpenApiTypes.INT64)
class IdField(serializers.Field[Any, Any, Any, Any]):
    """An id at Altegio, as a number or as text."""


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
    call_id = AsWrittenField(required=False, help_text="The exchange's id; the members of a ring group share it.")


class CallSerializer(NotificationSerializer):
    """A call that has ended. One of `salon_group_id` and `salon_id` is needed."""

    type = serializers.ChoiceField(PhoneCall.Type.choices)
    duration = AsWrittenField(required=False, help_text="Seconds, also with a fraction, or hours:minutes:seconds.")
    link = AsWrittenField(
        required=False, help_text=f"The recording: http or https, at most {parsing.MAX_LINK} characters."
    )
    status = AsWrittenField(
        required=False,
        help_text="`success` or `missed`; the words of Asterisk, FreeSWITCH, Twilio, Vonage and Binotel are read.",
    )
    date = AsWrittenField(
        required=False,
        help_text="ISO 8601, without a zone in the location's (else `ALTEGIO_TIME_ZONE`); or seconds since 1970.",
    )


class NotedSerializer(serializers.Serializer[Any]):
    """What is sent to Altegio, with the numbers in E.164; `kept`: the caller hides, and nothing is sent."""

    phone = serializers.CharField()
    diversion = serializers.CharField()
    state = serializers.ChoiceField(["queued", "kept"])
    warnings = WarningSerializer(many=True)


class SavedSerializer(serializers.ModelSerializer[PhoneCall]):
    """A call, whether Altegio has it, and what was left out of it."""

    salon_group_id = serializers.IntegerField(source="chain.altegio_id")
    salon_id = serializers.IntegerField(source="location.altegio_id", default=None, allow_null=True)
    # A read-only field of the model would be described without "", which a call without a status has.
    status = serializers.ChoiceField(PhoneCall.Status.choices, allow_blank=True, read_only=True)
    warnings = WarningSerializer(many=True)

    class Meta:
        model = PhoneCall
        fields = (
            *("id", "salon_group_id", "salon_id", "call_id", "type", "phone", "diversion", "user", "duration"),
            *("link", "status", "date", "received_at", "state", "error", "warnings"),
        )
        read_only_fields = fields

    def to_representation(self, call: PhoneCall) -> dict[str, Any]:
        """Return the fields, written out by hand: building them anew for each request costs more than all the rest of
        it.
        """
        return {
            "id": call.pk,
            "salon_group_id": call.chain.altegio_id,
            "salon_id": call.location.altegio_id if call.location else None,
            "call_id": call.call_id,
            "type": call.type,
            "phone": call.phone,
            "diversion": call.diversion,
            "user": call.user,
            "duration": call.duration,
            "link": call.link,
            "status": call.status,
            "date": call.date,
            "received_at": call.received_at,
            "state": call.state,
            "error": call.error,
            "warnings": call.warnings,
        }


class CallResultSerializer(SavedSerializer):
    """What became of one call of a list: its status in `code`, the call if there is one, and what was wrong."""

    code = serializers.ChoiceField(
        [(status, outcome.value) for outcome, status in CODES.items()],
        help_text="The status that this call alone would have been answered with.",
    )
    problems = serializers.DictField(
        required=False, help_text="Each wrong field with its reasons, or `detail`; left out where nothing was wrong."
    )

    class Meta(SavedSerializer.Meta):
        fields = ("code", *SavedSerializer.Meta.fields, "problems")  # type: ignore[assignment]
        read_only_fields = ()  # type: ignore[assignment]

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Return the fields, of which `code` alone is always there: a call that was refused is not stored."""
        fields = super().get_fields()
        for name, field in fields.items():
            field.read_only, field.required = False, name == "code"
        return fields


class Notifications(APIView):
    """Call notifications: sent within 15 seconds, or dropped; the legs of a ring group are sent once.

    An optional part that cannot be forwarded is left out, and named in `warnings`, as is an unknown field.
    """

    scope = "telephony"
    judges_texts = True
    send_otherwise = FORMS_ELSEWHERE

    @extend_schema(request=NotificationSerializer, responses={202: NotedSerializer, 400: None, 404: None, 409: None})
    def post(self, request: Request) -> Response:
        return answer_to_notification(request.data)


class Calls(ListAPIView[PhoneCall]):
    """Calls that have ended, newest first."""

    scope = "telephony"
    judges_texts = True
    send_otherwise = FORMS_ELSEWHERE
    serializer_class = SavedSerializer
    parameters = {
        "call_id": words("call_id", parsing.MAX_CALL_ID, "The exchange's id."),
        "state": choice("state", {state.value: state.value for state in PhoneCall.State}),
        "salon_id": number("location__altegio_id", "The location that the call named."),
    }

    def get_queryset(self) -> QuerySet[PhoneCall]:
        return shown_calls()

    @extend_schema(
        request=one_or_list("CallOrCalls", CallSerializer, CallSerializer, MAX_CALLS),
        responses={
            202: one_or_list("CallOrResults", SavedSerializer, CallResultSerializer, MAX_CALLS),
            200: OpenApiResponse(SavedSerializer, description="The same call_id again: not sent twice."),
            400: None,
            404: None,
            409: OpenApiResponse(description="Altegio has this call_id otherwise, or the chain's telephony is off."),
        },
    )
    def post(self, request: Request) -> Response:
        """Report a call, or a list of up to 200.

        The answer to a list is 202 with a result for each: the call, its own status in `code`, and in `problems` what
        was wrong; 400 if none could be read, with what was wrong by their indexes.

        An optional part of a call that cannot be forwarded (a recording's address, an odd duration, an unknown field)
        is left out, and named in `warnings`. A call whose caller hides is kept here (`state: kept`), and not sent to
        Altegio, which wants a number. Legs of a call under one `call_id` are merged until it is sent: answered goes
        before missed, the longer before the shorter. A failed call is sent anew as it is reported. Afterwards other
        content is 409, and `detail` names what differs.
        """
        if not isinstance(request.data, list):
            return answer_to_call(request.data)
        if not 1 <= len(request.data) <= MAX_CALLS:
            raise ValidationError({"non_field_errors": [f"Send a list of 1 to {MAX_CALLS} calls."]})
        results = take_calls(request.data)
        if all(result.verdict is CallOutcome.INVALID for result in results):
            raise ValidationError({str(index): dict(result.problems) for index, result in enumerate(results)})
        return Response([_shown_in_list(result) for result in results], 202)


class CallDetail(RetrieveAPIView[PhoneCall]):
    """One call."""

    scope = "telephony"
    serializer_class = SavedSerializer

    def get_queryset(self) -> QuerySet[PhoneCall]:
        return shown_calls()


class CallRetry(APIView):
    """Send a failed call again, as it is; if Altegio may hold it already, it is asked first where possible."""

    scope = "telephony"

    @extend_schema(request=None, responses={202: SavedSerializer, 409: None})
    def post(self, _request: Request, pk: int) -> Response:
        try:
            is_sent = send_again(pk)
        except PhoneCall.DoesNotExist:
            raise Http404 from None
        call = shown_calls().get(pk=pk)
        if not is_sent:
            not_failed = NOT_FAILED.format(state=call.get_state_display(), error=call.error).strip()
            why = why_not_again(call) if call.state == PhoneCall.State.FAILED else not_failed
            return Response({"detail": why}, 409)
        return Response(SavedSerializer(call).data, 202)


def answer_to_call(raw: object) -> Response:
    """Take one call that has ended, and return what became of it."""
    result = take_calls([raw])[0]
    return Response(_shown(result), CODES[result.verdict])


def answer_to_notification(raw: object) -> Response:
    """Send a notification of one call that rings, and return what was left out of it."""
    if not isinstance(raw, dict):
        raise ValidationError({"non_field_errors": [OBJECT]})
    caller = find_caller(raw, {})
    if isinstance(caller, Result):
        return Response(caller.problems, CODES[caller.verdict])
    try:
        call = read_ringing(raw, caller.rules)
    except InvalidCallError as bad:
        return Response(bad.problems, CODES[CallOutcome.INVALID])
    if why := why_silent(caller.chain):
        return Response({"detail": why}, 409)
    repeated = not call.is_hidden and not notify_of_call(caller.chain, **call.payload)
    shown = {name: call.payload[name] for name in ("phone", "diversion")}
    state = "kept" if call.is_hidden else "queued"
    warnings = [*call.warnings, *([REPORTED_ALREADY] if repeated else [])]
    return Response({**shown, "state": state, "warnings": warnings}, 202)


def shown_calls() -> QuerySet[PhoneCall]:
    """Return calls with what their representation needs, in one query."""
    return PhoneCall.objects.select_related("chain", "location")


def _shown(result: Result) -> dict[str, Any]:
    call = {**SavedSerializer(result.call).data, "warnings": result.warnings} if result.call else {}
    return {**call, **result.problems}


def _shown_in_list(result: Result) -> dict[str, Any]:
    call = {**SavedSerializer(result.call).data, "warnings": result.warnings} if result.call else {}
    problems = {"problems": result.problems} if result.problems else {}
    return {"code": CODES[result.verdict], **call, **problems}
