"""A connection that begins anew gets the names its location has."""

from typing import Any

from django.dispatch import receiver

from integrations.connections.models import LIVE, Connection, State
from integrations.connections.signals import connection_changed
from integrations.sender_names.models import SenderNameList
from integrations.sender_names.names import names_in_force, tell


@receiver(connection_changed)
def tell_again(connection: Connection, before: State, after: State, **_: Any) -> None:
    """After an activation Altegio may have forgotten the list."""
    if after not in LIVE or before in LIVE:
        return
    lists = SenderNameList.objects.of(connection).select_related("installation")
    names = lists.select_for_update(of=("self",), no_key=True).first()
    if names is not None and names_in_force(names):
        tell(names)
