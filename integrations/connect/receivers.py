"""What an arrival learns from the rest of the marketplace."""

from typing import Any

from django.dispatch import receiver

from integrations.connect.claims import go_on_as_new
from integrations.lifecycle.asking import granted_again
from integrations.models.connection import Connection


@receiver(granted_again)
def reconnect(connection: Connection, **_: Any) -> None:
    """It was uninstalled unnoticed, and Connect was pressed again."""
    go_on_as_new(connection)
