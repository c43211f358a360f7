"""The outgoing call that sends a location's sender names to Altegio (docs/altegio.md §2)."""

from integrations.altegio import requests
from integrations.altegio.requests import ApiRequest
from integrations.connections.models import Connection
from integrations.outbox.call_kinds import ObsoleteError, register
from integrations.outbox.synced_rows import SyncKind
from integrations.sender_names.models import IN_FORCE, SenderName, SenderNameList
from partner_portal.core.english import english as _


@register
class SendSenderNames(SyncKind):
    """An outgoing call that sends the whole list, as it is at the moment of sending; repeating it is harmless."""

    name = "short_names"
    title = _("Sender names")
    model = SenderNameList
    parameter = "list"

    @classmethod
    def has_content(cls, row: SenderNameList) -> bool:
        # If the last name was withdrawn, the list's state was set together with that.
        return SenderName.objects.filter(list=row, state__in=IN_FORCE).exists()

    def request_for(self, connection: Connection, key: int) -> ApiRequest:
        in_force = SenderName.objects.filter(list=key, state__in=IN_FORCE)
        names = list(in_force.values_list("name", flat=True))
        if not names:
            raise ObsoleteError("No sender name is left, and Altegio takes no empty list.")
        return requests.sender_names(connection.location.altegio_id, connection.application.altegio_id, names)
