"""The owner's page: their locations, each with the newest word on it."""

from typing import Any

from django.db.models import Q
from django.urls import reverse

from accounts.models import User
from accounts.sections import register_section
from integrations.connect.status import message_for, shown_state
from integrations.connect.words import LABELS
from integrations.models.connection import LIVE, Connection


def owned_connections(user: User) -> list[Connection]:
    """The newest connection of each application and location that is the user's, or claimed by them."""
    mine = Connection.objects.filter(Q(owner=user) | Q(owner=None, claimant=user))
    newest: dict[tuple[int, int], Connection] = {}
    for connection in mine.select_related("application", "location").order_by("pk"):
        newest[connection.application_id, connection.location_id] = connection
    return sorted(newest.values(), key=lambda connection: -connection.pk)


def _context(user: User) -> dict[str, Any]:
    rows = [
        {
            "title": connection.title,
            "salon_id": connection.location.altegio_id,
            "application": str(connection.application),
            "state": shown_state(connection),
            "state_label": LABELS[shown_state(connection)],
            "message": message_for(connection),
            "reconnect_url": connection.reconnect_url,
            "disconnect_url": _disconnect_url(connection, user),
        }
        for connection in owned_connections(user)
    ]
    return {"rows": rows}


def _disconnect_url(connection: Connection, user: User) -> str:
    """Where the owner disconnects it; "" where there is nothing to disconnect."""
    if connection.state not in LIVE or connection.owner_id != user.pk:
        return ""
    return reverse("lifecycle:disconnect", args=[connection.pk])


register_section("integrations/section_connections.html", _context)
