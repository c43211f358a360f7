"""The switches of a location's SMS and WhatsApp channels at Altegio (docs/altegio.md §2, channel)."""

from django.db import transaction

from integrations.altegio import requests
from integrations.altegio.requests import ApiRequest
from integrations.connections.models import Connection
from integrations.messaging.models import ChannelSwitch
from integrations.outbox.call_kinds import register
from integrations.outbox.synced_rows import SyncKind
from partner_portal.core.english import english as _


@register
class UpdateChannel(SyncKind):
    """An outgoing call that sends a channel switch, as it is at the moment of sending; repeating it is harmless."""

    name = "update_channel"
    title = _("Channel on or off")
    on_either_host = True
    model = ChannelSwitch
    parameter = "switch"

    @classmethod
    def coalesce_key_of(cls, row: ChannelSwitch, connection: Connection) -> str:
        return f"{cls.name}:{connection.pk}:{row.slug}"

    def request_for(self, connection: Connection, key: int) -> ApiRequest:
        switch = ChannelSwitch.objects.get(pk=key)
        return requests.update_channel(
            connection.location.altegio_id,
            connection.application.altegio_id,
            switch.slug,
            is_available=switch.is_available,
        )


@transaction.atomic
def switch_channel(connection: Connection, slug: ChannelSwitch.Slug, *, is_available: bool) -> ChannelSwitch:
    """Switch a location's channel on or off and queue the call to Altegio; quick changes share one call."""
    wanted = {"is_available": is_available}
    switch: ChannelSwitch = UpdateChannel.locked(UpdateChannel.row_of(connection, wanted, slug=slug).pk)
    switch.is_available = is_available
    switch.save(update_fields=["is_available"])
    UpdateChannel.tell(switch)
    return switch
