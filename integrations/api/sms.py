"""`/api/v1/sms/statuses/`: message statuses, which are reported, listed and sent again."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from integrations.api.message_ids import MessageIdField
from integrations.api.warnings import WarningSerializer
from integrations.messaging.call_kinds import send_refused_again
from integrations.messaging.ext_ids import with_send_ids
from integrations.messaging.ingest import take_statuses
from integrations.messaging.models import BatchState, MessageStatus, StatusBatch
from integrations.messaging.parsing import MAX_ITEMS, InvalidStatusesError, StatusList, read_statuses
from partner_portal.core.english import english as _
from partner_portal.core.left_out import shortened
from partner_portal.core.list_parameters import choice, words

WHICH = _('Send {"ids": […]} with 1 to 1000 message ids, or {} for all that were refused.')


class AcceptedSerializer(serializers.Serializer[dict[str, int]]):
    """How many statuses were taken; one that repeats what is known is taken and not sent again.

    If parts of them were left out, `warnings` names each field with its item's index: `3.salon_id`. Of more than 100
    warnings the last one counts the others.
    """

    accepted = serializers.IntegerField()
    warnings = WarningSerializer(many=True, required=False)


class RetrySerializer(serializers.Serializer[dict[str, Any]]):
    """Which refused statuses to send again: those of these messages, or all of them without `ids`."""

    ids = serializers.ListField(child=MessageIdField(), required=False, min_length=1, max_length=MAX_ITEMS)


class RetriedSerializer(serializers.Serializer[dict[str, int]]):
    """How many refused statuses are sent again."""

    accepted = serializers.IntegerField()


class RelayedStatusSerializer(serializers.ModelSerializer[MessageStatus]):
    """A status that was reported and what became of it.

    `waiting`; `sent`; `refused`, and `error` holds Altegio's reason; `left_out`: it came after a final one.
    """

    id = MessageIdField(source="wire_id")
    state = serializers.ChoiceField(BatchState.choices, source="batch.state")
    error = serializers.CharField(source="batch.refusal")
    error_code = serializers.IntegerField(source="batch.refusal_code", allow_null=True)
    received_at = serializers.DateTimeField(source="batch.received_at")

    class Meta:
        model = MessageStatus
        fields = (
            *("id", "status", "payment_sum", "currency_iso", "parts_amount"),
            *("state", "error", "error_code", "received_at"),
        )
        read_only_fields = fields


class Statuses(ListAPIView[MessageStatus]):
    """Reported statuses and what became of them, newest first."""

    scope = "sms"
    judges_texts = True
    serializer_class = RelayedStatusSerializer
    parameters = {
        "id": words("message_id", 100, "The message's id."),
        "state": choice("batch__state", {state.value: state.value for state in BatchState}),
    }

    def get_queryset(self) -> QuerySet[MessageStatus]:
        return MessageStatus.objects.select_related("batch")

    @extend_schema(request=StatusList, responses={202: AcceptedSerializer})
    def post(self, request: Request) -> Response:
        """Take up to 1000 message statuses, all or none, and relay them to Altegio.

        An optional part of a status that cannot be read is left out, and named in `warnings`: an unknown field, a
        location for the figures, a price that Altegio does not want with this status. With `ext_id` instead of `id`
        the address is the one that came with the message. `status` may also be a gateway's word, like `DELIVRD`.

        A status that was reported before is sent again if its price is another one, or if Altegio had refused it. A
        message on its way (4, 8) that has come to its end (1, 2, 16, 52) stays there: what comes later is left out.
        """
        try:
            items, named = with_send_ids(request.data)
            reported, warnings = read_statuses(items)
        except InvalidStatusesError as bad:
            raise ValidationError(bad.problems) from None
        take_statuses(reported, named, warnings)
        left_out = {"warnings": shortened(warnings)} if warnings else {}
        return Response({"accepted": len(reported), **left_out}, status=202)


class StatusRetry(APIView):
    """Send again the statuses that Altegio refused."""

    scope = "sms"
    body_may_be_missing = True

    @extend_schema(request=RetrySerializer, responses={202: RetriedSerializer})
    def post(self, request: Request) -> Response:
        count = send_refused_again(StatusBatch.objects.all(), _ids(request.data))
        return Response({"accepted": count}, status=202)


def _ids(body: Any) -> list[str] | None:
    """Return the ids that were named, as they are stored; None for all, where the body names none or is missing."""
    if body == {}:
        return None
    ids = body.get("ids") if isinstance(body, dict) and set(body) == {"ids"} else None
    if not isinstance(ids, list) or not 1 <= len(ids) <= MAX_ITEMS or not all(_is_id(one) for one in ids):
        raise ValidationError({"ids": [WHICH]})
    return [str(one) for one in ids]


def _is_id(value: object) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)
