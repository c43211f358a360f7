"""Lookup of the user token for a call about a location (docs/altegio.md §2, "Calls with a user token")."""

from django.db.models import Exists, OuterRef, Q

from integrations.connections.models import Application, Connection, Location
from integrations.user_tokens.models import ApplicationToken, UserToken


def token_at(application: Application | int, location: Location | int) -> str:
    """Return the location's own user token, else the token of the application's system user, else ""."""
    own = UserToken.objects.filter(location=location).first()
    if own is not None:
        return own.token
    systems = ApplicationToken.objects.filter(application=application).first()
    return systems.token if systems is not None else ""


def has_token() -> Q:
    """Return a condition on connections: the location or the application has a token."""
    own = Exists(UserToken.objects.filter(location=OuterRef("location")))
    return Q(own) | Q(Exists(ApplicationToken.objects.filter(application=OuterRef("application"))))


def connection_with_token(location_id: int) -> Connection | None:
    """Return the oldest live connection at a location for which a token is known, or None."""
    live = Connection.objects.live().filter(has_token(), location=location_id)
    return live.select_related("application", "location").order_by("pk").first()
