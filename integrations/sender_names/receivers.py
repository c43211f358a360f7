"""The receiver that sends a location's sender names again when a connection becomes live or ends."""

from typing import Any

from django.dispatch import receiver

from integrations.connections.models import LIVE, Connection, State, SyncState
from integrations.connections.signals import connection_changed
from integrations.sender_names.models import SenderNameList
from integrations.sender_names.names import names_in_force, tell


@receiver(connection_changed)
def tell_again(connection: Connection, before: State, after: State, **_: Any) -> None:
    """Queue the list again once a connection is live, because Altegio may have lost it; update its state at the end.

    After the end a list that was still queued is queued for another connection there, or fails.
    """
    if (after in LIVE) == (before in LIVE):
        return
    lists = SenderNameList.objects.of(connection).select_related("installation")
    names = lists.select_for_update(of=("self",), no_key=True).first()
    if names is None:
        return
    if names_in_force(names) if after in LIVE else names.sync_state == SyncState.QUEUED:
        tell(names)
