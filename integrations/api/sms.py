"""`/api/v1/sms/statuses/`."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from integrations.api.warnings import WarningSerializer
from integrations.messaging.ext_ids import with_send_ids
from integrations.messaging.ingest import take_statuses
from integrations.messaging.parsing import InvalidStatusesError, StatusList, read_statuses


class AcceptedSerializer(serializers.Serializer[dict[str, int]]):
    """How many statuses were taken; one that was there already is taken and not sent again.

    Where something was left out of them, `warnings` name it, each field with its item's index: `3.salon_id`.
    """

    accepted = serializers.IntegerField()
    warnings = WarningSerializer(many=True, required=False)


class Statuses(APIView):
    """Takes up to 1000 message statuses, all or none, and relays them to Altegio.

    What only decorates a status and cannot be read is left out, and named in `warnings`: an unknown field, a location
    for the figures, a price that Altegio does not want with this status. With `ext_id` instead of `id` the address is
    the one that came with the message.
    """

    scope = "sms"
    judges_texts = True

    @extend_schema(request=StatusList, responses={202: AcceptedSerializer})
    def post(self, request: Request) -> Response:
        try:
            items, named = with_send_ids(request.data)
            reported, warnings = read_statuses(items)
        except InvalidStatusesError as bad:
            raise ValidationError(bad.problems) from None
        take_statuses(reported, named)
        left_out = {"warnings": warnings} if warnings else {}
        return Response({"accepted": len(reported), **left_out}, status=202)
