"""The key that Altegio sends a location's text messages with: whose is it, and replacing it."""

import secrets

from django.db import transaction

from integrations.connections.models import Connection, Installation
from integrations.messaging.models import ReplacedApiKey
from partner_portal.core.encryption import lookup_hash


def connection_with_key(api_key: str) -> Connection | None:
    """The connection whose key this is: the one that counts at the key's location.

    Two queries by unique index, however many connections there are.
    """
    place = place_of_key(lookup_hash(api_key))
    if place is None:
        return None
    application, location = place
    here = Connection.objects.at(application, location)
    return here.select_related("application", "location__chain", "owner").current()


def place_of_key(api_key_hash: str) -> tuple[int, int] | None:
    """The application and the location whose key has this hash, also one that was replaced: one query."""
    place = ("application_id", "location_id")
    current = Installation.objects.filter(api_key_hash=api_key_hash).values_list(*place)
    replaced = ReplacedApiKey.objects.filter(api_key_hash=api_key_hash).values_list(
        *(f"installation__{column}" for column in place)
    )
    return next(iter(current.union(replaced)), None)


@transaction.atomic
def replace_api_key(connection: Connection) -> None:
    """Give the location a new key, sent with its next activation.

    Altegio keeps the first key it got (docs/altegio.md §2): until the owner disconnects and connects again it
    sends with the old one, which is resolved until then.
    """
    installation = Installation.objects.select_for_update().get(
        application=connection.application_id, location=connection.location_id
    )
    ReplacedApiKey.objects.create(installation=installation, api_key_hash=installation.api_key_hash)
    installation.api_key = secrets.token_urlsafe(32)
    installation.api_key_hash = lookup_hash(installation.api_key)
    installation.save(update_fields=["api_key", "api_key_hash"])


def forget_replaced_keys(connection: Connection) -> None:
    """Altegio accepted an activation that carried the new key: keys replaced before it are void.

    The activation was built after the arrival, so what was replaced before the arrival was not in it.
    """
    ReplacedApiKey.objects.of(connection).filter(replaced_at__lt=connection.arrived_at).delete()
