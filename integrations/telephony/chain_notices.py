"""Notifications and alerts about a chain: another account named it, or brought another CRM token for it."""

from collections.abc import Sequence
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.email_rendering import EMAIL_CONTEXTS
from accounts.models import User
from accounts.notifications import NotificationKind, digest_context, notify, register_notification
from integrations.alerts.models import Alert
from integrations.alerts.raising import clear_alerts, raise_alert
from integrations.connections.models import Chain, Connection

# A franchise chain may have hundreds of owners; without a limit each new location would notify all of them.
MAX_NOTIFIED = 20


@register_notification
class ChainNamed(NotificationKind):
    """A notification that another account's location has named the person's chain."""

    name = "chain_named"

    def still_true(self, person: User, subjects: Sequence[int]) -> list[int]:
        live = Connection.objects.live().filter(pk__in=subjects, location__chain__isnull=False)
        return list(live.order_by("pk").values_list("pk", flat=True))


@register_notification
class TokenNotTaken(NotificationKind):
    """A notification that a CRM token was brought for the person's location without proof that it belongs to it."""

    name = "token_not_taken"

    def still_true(self, person: User, subjects: Sequence[int]) -> list[int]:
        mine = Connection.objects.live().filter(pk__in=subjects, owner=person)
        return list(mine.order_by("pk").values_list("pk", flat=True))


def tell_others(connection: Connection, chain: Chain) -> None:
    """Notify the other owners with a live location under this chain number, and staff if there are any."""
    others = Connection.objects.live().filter(location__chain__altegio_id=chain.altegio_id)
    owners = others.exclude(owner=None).exclude(owner=connection.owner_id).exclude(pk=connection.pk)
    owners_to_tell = User.objects.filter(pk__in=owners.values("owner")).order_by("pk")[:MAX_NOTIFIED]
    for owner in owners_to_tell:
        notify(ChainNamed, owner, connection.pk, key=f"{connection.pk}:{owner.pk}", group=f"chain:{chain.altegio_id}")
    if owners_to_tell:
        same_token = others.filter(location__chain=chain).exclude(pk=connection.pk).exists()
        which = "the same CRM token" if same_token else "another CRM token, under which its own calls go out"
        text = f"{connection}: names chain #{chain.altegio_id}, where others are connected, and brought {which}."
        raise_alert(Alert.Kind.REVIEW, f"chain:{connection.pk}", text, connection)


def tell_of_new_token(connection: Connection) -> None:
    """Report that somebody came through the owner's link with another token."""
    _tell_not_taken(connection, "somebody came with its owner's link and another CRM token")


def tell_of_two_tokens(connection: Connection, chain_number: int) -> None:
    """Notify the owner and alert staff about a token that the owner's other locations of this chain do not have."""
    key = _of_two_tokens(connection.owner_id, chain_number)
    notify(TokenNotTaken, connection.owner, connection.pk, key=f"{key}:{timezone.now():%Y%m%d}")
    text = (
        f"{connection}: brought a CRM token that its owner's other locations of this chain do not have, and those do "
        "not follow. Ask the owner. If it is the chain's token, confirm the chain that has it: then all locations of "
        "the owner's go on under it."
    )
    raise_alert(Alert.Kind.REVIEW, key, text, connection)


def forget_two_tokens(owner_id: int, chain_number: int) -> None:
    """End the alert about two tokens: all of the owner's locations of this chain have one token again."""
    clear_alerts(key=_of_two_tokens(owner_id, chain_number))


def _of_two_tokens(owner_id: int | None, chain_number: int) -> str:
    return f"two-tokens:{chain_number}:{owner_id}"


def tell_of_contradiction(connection: Connection) -> None:
    """Report that arrivals brought more than one token before Altegio accepted the connection."""
    _tell_not_taken(connection, "different CRM tokens came along before it was accepted")


def tell_of_typed_address(connection: Connection) -> None:
    """Report that the token came with a sign-up under the owner's address that the owner has not confirmed."""
    _tell_not_taken(connection, "its CRM token came with a sign-up that its owner has not confirmed")


def tell_of_another_speaker(connection: Connection) -> None:
    """Report a second application, connected by another account while the first one's telephony is live."""
    _tell_not_taken(connection, "another account's telephony is connected at this location")


def _tell_not_taken(connection: Connection, what: str) -> None:
    """Notify the owner, at most once a day, and alert staff that a token was not taken over."""
    notify(TokenNotTaken, connection.owner, connection.pk, key=f"{connection.pk}:{timezone.now():%Y%m%d}")
    text = f"{connection}: {what}; none was taken over. If its owner has a new one: disconnect, and connect again."
    raise_alert(Alert.Kind.REVIEW, f"crm-token:{connection.pk}", text, connection)


@EMAIL_CONTEXTS.add(ChainNamed.name)
@EMAIL_CONTEXTS.add(TokenNotTaken.name)
def with_connections(params: dict[str, Any]) -> dict[str, Any]:
    """Return the context of an e-mail about connections; each location is named by its Altegio id alone.

    The id alone is shown because a connection may belong to another account.
    """
    shown = Connection.objects.select_related("application", "location__chain").in_bulk(params["subjects"])
    lines = [_line(shown[pk]) for pk in params["subjects"] if pk in shown]
    return digest_context(lines, params)


def _line(connection: Connection) -> dict[str, str]:
    chain = connection.location.chain
    return {
        "location": _("Location %(id)s") % {"id": connection.location.altegio_id},
        "chain": str(chain.altegio_id) if chain else "",
        "reconnect_url": connection.reconnect_url,
    }
