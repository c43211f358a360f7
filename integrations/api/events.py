"""`/api/v1/events/`: the events as a feed, for systems that cannot receive webhooks."""

from typing import Any, cast

import simplejson
from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.generics import ListAPIView

from accounts.models import ApiKey
from integrations.partner_events import types
from integrations.partner_events.event_feed import position_of
from integrations.partner_events.fan_out import fan_out_batch
from integrations.partner_events.models import PartnerEvent
from partner_portal.core.list_parameters import Parameter
from partner_portal.core.pagination import LargeRowsCursor

TYPES = frozenset(types.ALL)


class EventSerializer(serializers.Serializer[PartnerEvent]):
    """An event: `id` is the `webhook-id`, the rest is the body that webhooks carry."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Return the fields for the schema; the class itself cannot have a field called `data`."""
        return {
            "id": serializers.CharField(),
            "type": serializers.ChoiceField(types.CHOICES),
            "timestamp": serializers.DateTimeField(),
            "data": serializers.DictField(),
        }

    def to_representation(self, event: PartnerEvent) -> Any:
        """Return the exact text that webhooks carry, behind the id; parsed and written again, it could differ."""
        return simplejson.RawJSON(f'{{"id": "{event.message_id}", {event.body[1:]}')


def _after() -> Parameter:
    def read(text: str) -> int:
        position = position_of(text)
        if position is None:
            raise ValueError("Write the id of the last event that you have read, or begin without `after`.")
        return position

    meaning = (
        "Only events behind the one with this id. None ever appears in front of one already shown. Behind an event "
        "that is not kept any more come all kept ones that happened after it, and perhaps some of the hour before."
    )
    return Parameter("position__gt", read, {"type": "string", "pattern": "^evt_[0-9a-f]{32}$"}, meaning)


def _types() -> Parameter:
    def read(text: str) -> list[str]:
        wanted = text.split(",")
        if unknown := [name for name in wanted if name not in TYPES]:
            raise ValueError(types.UNKNOWN.format(input=", ".join(unknown)))
        return wanted

    return Parameter("type__in", read, {"type": "string"}, "Types, with a comma between them.")


class EventCursor(LargeRowsCursor):
    """A cursor from the oldest event on: a reader at the end asks later for what comes after the last one."""

    ordering = "position"
    large_column = "body"


class EventList(ListAPIView[PartnerEvent]):
    """What happened, oldest first: the same events that webhooks carry.

    Payments are shown to a key that has the scope `billing` too, messages and sender names to one that has `sms`, and
    everything, including entity events, to one that has `webhooks`.
    """

    scope = "read"
    serializer_class = EventSerializer
    pagination_class = EventCursor
    parameters = {"after": _after(), "types": _types()}

    def get_queryset(self) -> QuerySet[PartnerEvent]:
        # This places as many events as several pages hold; the requests for further pages place the next ones.
        fan_out_batch()
        hidden = _hidden_from(cast("ApiKey", self.request.auth))
        for name in self.request.query_params.get("types", "").split(","):
            if name in hidden:
                raise PermissionDenied(f'This API key lacks the scope "{types.SCOPES[name]}", which {name} needs.')
        shown = PartnerEvent.objects.filter(endpoint=None).exclude(position=None)
        return shown.exclude(type__in=hidden) if hidden else shown


def _hidden_from(key: ApiKey) -> list[str]:
    """Return the types that this key may not see. A key with `webhooks` may have all of them sent to it anyway."""
    if "webhooks" in key.scopes:
        return []
    return [name for name, scope in types.SCOPES.items() if scope not in key.scopes]
