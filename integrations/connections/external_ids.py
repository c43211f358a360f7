"""The partner's own id on a connection: which one it carries, and since when.

Its owner's, where the partner knows them as a customer, from when it is bound. One that the partner wrote for this
connection alone stands instead, until the connection is another person's.
"""

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.dispatch import receiver

from accounts.models import Customer
from accounts.signals import customer_changed
from integrations.connections.models import Connection
from integrations.connections.transitions import changing_details, lock, tell_details

if TYPE_CHECKING:
    from accounts.models import User


@transaction.atomic
def set_external_id(connection_id: int, external_id: str) -> None:
    """Write an id for this connection alone, or "" for none: from now on no customer's takes its place."""
    connection = lock(connection_id)
    before = connection.external_id
    connection.external_id, connection.has_own_external_id = external_id, True
    connection.save(update_fields=["has_own_external_id", *(["external_id"] if before != external_id else [])])
    if before != external_id:
        tell_details([connection.pk])


def bound_to(connection: Connection, owner: "User | None") -> dict[str, Any]:
    """The columns of a connection that becomes this person's: the owner, and the partner's id of them."""
    is_handed_over = connection.owner_id is not None and owner is not None and connection.owner_id != owner.pk
    if owner is None or (connection.has_own_external_id and not is_handed_over):
        return {"owner": owner}
    return {"owner": owner, "external_id": _id_of(owner), "has_own_external_id": False}


def _id_of(person: "User") -> str:
    return Customer.objects.filter(user=person).values_list("external_id", flat=True).first() or ""


@receiver(customer_changed)
def name_connections(user: "User", **_: Any) -> None:
    """Who is here already has connections: they carry the partner's id of them from now on, or none."""
    external_id = _id_of(user)
    others = Connection.objects.filter(owner=user, has_own_external_id=False).exclude(external_id=external_id)
    keys = list(others.values_list("pk", flat=True))
    with changing_details(Connection.objects.filter(pk__in=keys)):
        Connection.objects.filter(pk__in=keys, has_own_external_id=False).update(external_id=external_id)
