"""`/api/v1/sms/messages/`: messages that Altegio asks the partner to send."""

from typing import Any

from django.db.models import Prefetch, QuerySet
from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.generics import ListAPIView, RetrieveAPIView

from integrations.altegio.wire import parse_id
from integrations.api.message_ids import MessageIdField
from integrations.messaging.message_feed import place_waiting, position_of
from integrations.messaging.models import BatchState, MessageStatus, RequestedMessage
from partner_portal.core.list_parameters import Parameter, choice
from partner_portal.core.pagination import LargeRowsCursor


class StatusSerializer(serializers.ModelSerializer[MessageStatus]):
    """A reported status, and whether Altegio has it."""

    state = serializers.ChoiceField(BatchState.choices, source="batch.state")
    received_at = serializers.DateTimeField(source="batch.received_at")

    class Meta:
        model = MessageStatus
        fields = ("status", "payment_sum", "currency_iso", "parts_amount", "state", "received_at")
        read_only_fields = fields


class MessageSerializer(serializers.ModelSerializer[RequestedMessage]):
    """A message to one number, with what became of it."""

    ext_id = serializers.CharField()
    id = MessageIdField(source="wire_id")
    connection_id = serializers.IntegerField()
    salon_id = serializers.IntegerField(source="connection.location.altegio_id")
    phone = serializers.CharField()
    text = serializers.CharField()
    statuses = StatusSerializer(many=True)

    class Meta:
        model = RequestedMessage
        fields = (
            *("ext_id", "id", "connection_id", "salon_id", "phone", "sender_name", "text", "channel", "category"),
            *("received_at", "state", "statuses"),
        )
        read_only_fields = fields


def _after() -> Parameter:
    def read(text: str) -> int:
        key = parse_id(text)
        if key is None:
            raise ValueError("Write the ext_id of the last message that you have read.")
        return position_of(key)

    meaning = "Only messages behind the one with this `ext_id`. None ever appears in front of one already shown."
    return Parameter("position__gt", read, {"type": "string", "pattern": "^[0-9]{1,18}$"}, meaning)


class MessageCursor(LargeRowsCursor):
    """A cursor from the oldest message on: a reader at the end asks later for what comes after the last one."""

    ordering = "position"
    large_column = "text"


def shown_messages() -> QuerySet[RequestedMessage]:
    """Return messages with what their representation needs, in two queries."""
    statuses = Prefetch("statuses", MessageStatus.objects.select_related("batch").order_by("pk"))
    return RequestedMessage.objects.select_related("connection__location").prefetch_related(statuses)


class MessageList(ListAPIView[RequestedMessage]):
    """Messages that Altegio asks to be sent, oldest first."""

    scope = "sms"
    serializer_class = MessageSerializer
    pagination_class = MessageCursor
    parameters = {
        "after": _after(),
        "state": choice("state", {state: state for state in RequestedMessage.State.values}),
    }

    def get_queryset(self) -> QuerySet[RequestedMessage]:
        place_waiting()
        return shown_messages().exclude(position=None)


class MessageDetail(RetrieveAPIView[RequestedMessage]):
    """One message."""

    scope = "sms"
    serializer_class = MessageSerializer

    def get_object(self) -> Any:
        return get_object_or_404(shown_messages(), pk=parse_id(self.kwargs["ext_id"]))
