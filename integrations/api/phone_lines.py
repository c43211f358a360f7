"""`/api/v1/locations/{salon_id}/lines/`: the lines of a location, and how its numbers are read."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from integrations.altegio.wire import parse_id
from integrations.connections.models import Location
from integrations.telephony.line_settings import InvalidLinesError, set_lines
from integrations.telephony.reading_rules import ReadingRules, rules_of
from partner_portal.core.english import english as _


class LinesSerializer(serializers.Serializer[dict[str, Any]]):
    """How a location's numbers, times and extensions are read."""

    country = serializers.CharField(
        required=False, allow_null=True, help_text="ISO 3166, like HU; null: the location's own."
    )
    time_zone = serializers.CharField(
        required=False,
        allow_null=True,
        help_text="Like Europe/Budapest; null: the location's own.",
    )
    lines = serializers.DictField(
        child=serializers.CharField(), required=False, help_text='The number of each extension: `{"101": "+36…"}`.'
    )


class PhoneLinesView(APIView):
    """How this location's numbers, times and extensions are read in what the exchange sends."""

    scope = "telephony"

    @extend_schema(responses=LinesSerializer)
    def get(self, request: Request, salon_id: str) -> Response:
        return Response(_shown(rules_of(_location(salon_id))))

    @extend_schema(request=LinesSerializer, responses=LinesSerializer)
    def put(self, request: Request, salon_id: str) -> Response:
        """Replace all of it; for a value that is left out or null, the location's own is used."""
        location = _location(salon_id)
        if not isinstance(request.data, dict):
            raise ValidationError({"non_field_errors": [_("Send a JSON object.")]})
        try:
            set_lines(location, request.data)
        except InvalidLinesError as bad:
            raise ValidationError(bad.problems) from None
        return Response(_shown(rules_of(location)))


def _location(salon_id: str) -> Location:
    known = parse_id(salon_id)
    location = Location.objects.filter(altegio_id=known).first() if known is not None else None
    if location is None:
        raise NotFound(_("This location is not known here."))
    return location


def _shown(rules: ReadingRules) -> dict[str, Any]:
    return {"country": rules.region, "time_zone": rules.zone or None, "lines": rules.lines}
