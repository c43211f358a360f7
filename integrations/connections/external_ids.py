"""The partner's own id on a connection: which one it carries, and since when."""

from django.db import transaction

from integrations.connections.transitions import lock, tell_details


@transaction.atomic
def set_external_id(connection_id: int, external_id: str) -> None:
    """Write an id for this connection alone, or "" for none: from now on no customer's takes its place."""
    connection = lock(connection_id)
    before = connection.external_id
    connection.external_id, connection.has_own_external_id = external_id, True
    connection.save(update_fields=["has_own_external_id", *(["external_id"] if before != external_id else [])])
    if before != external_id:
        tell_details([connection.pk])
