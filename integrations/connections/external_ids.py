"""The partner's own id on a connection: which one it has, and since when.

It is the id of its owner, if the partner knows them as a customer, from the time when the connection is bound. An id
that the partner wrote for this connection alone takes precedence, until the connection becomes another person's.
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
    """Write an id for this connection alone, or "" for none: from now on no customer's id replaces it."""
    connection = lock(connection_id)
    before = connection.external_id
    connection.external_id, connection.has_own_external_id = external_id, True
    connection.save(update_fields=["has_own_external_id", *(["external_id"] if before != external_id else [])])
    if before != external_id:
        tell_details([connection.pk])


def bound_to(connection: Connection, owner: "User | None") -> dict[str, Any]:
    """Return the columns of a connection that becomes this person's: the owner, and the partner's id of them."""
    is_handed_over = connection.owner_id is not None and owner is not None and connection.owner_id != owner.pk
    if owner is None or (connection.has_own_external_id and not is_handed_over):
        return {"owner": owner}
    return {"owner": owner, "external_id": _id_of(owner), "has_own_external_id": False}


def _id_of(person: "User") -> str:
    return Customer.objects.filter(user=person).values_list("external_id", flat=True).first() or ""


@receiver(customer_changed)
def name_connections(user: "User", **_: Any) -> None:
    """Write the partner's id of a changed customer, or none, to the connections that they already own."""
    external_id = _id_of(user)
    others = Connection.objects.filter(owner=user, has_own_external_id=False).exclude(external_id=external_id)
    keys = list(others.values_list("pk", flat=True))
    with changing_details(Connection.objects.filter(pk__in=keys)):
        Connection.objects.filter(pk__in=keys, has_own_external_id=False).update(external_id=external_id)
