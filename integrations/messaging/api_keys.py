"""Lookup and replacement of the API key with which Altegio sends a location's text messages."""

import secrets

from django.db import transaction
from django.db.models import Exists

from integrations.altegio.answers import Outcome
from integrations.connections.models import Connection, Installation
from integrations.messaging.models import ReplacedApiKey
from integrations.outbox.models import Attempt
from partner_portal.core.encryption import lookup_hash


def connection_with_key(api_key: str) -> Connection | None:
    """Return the connection that counts at the key's application and location, or None for an unknown key.

    It takes two queries by index, however many connections there are.
    """
    place = place_of_key(lookup_hash(api_key))
    if place is None:
        return None
    application, location = place
    here = Connection.objects.at(application, location)
    return here.select_related("application", "location__chain", "owner").current()


def place_of_key(api_key_hash: str) -> tuple[int, int] | None:
    """Return the keys of the application and location whose API key, current or replaced, has this hash, or None.

    It takes one query.
    """
    place = ("application_id", "location_id")
    current = Installation.objects.filter(api_key_hash=api_key_hash).values_list(*place)
    replaced = ReplacedApiKey.objects.filter(api_key_hash=api_key_hash).values_list(
        *(f"installation__{column}" for column in place)
    )
    return next(iter(current.union(replaced)), None)


@transaction.atomic
def replace_api_key(connection: Connection) -> None:
    """Give the location a new API key, which is sent with its next activation.

    Altegio keeps the first key it got (docs/altegio.md §2). Until the owner disconnects and connects again, it uses
    the old one, which stays valid here until then.
    """
    installation = Installation.objects.select_for_update().get(
        application=connection.application_id, location=connection.location_id
    )
    ReplacedApiKey.objects.create(installation=installation, api_key_hash=installation.api_key_hash)
    installation.api_key = secrets.token_urlsafe(32)
    installation.api_key_hash = lookup_hash(installation.api_key)
    installation.save(update_fields=["api_key", "api_key_hash"])


def void_keys_before_activation(connection: Connection) -> None:
    """Delete the keys that were replaced before the arrival, if Altegio accepted an activation since.

    Altegio may still hold a former key where the location is active although each activation was refused, or its
    answer was lost.
    """
    sent = Attempt.objects.filter(call__connection=connection, call__kind="activate", purpose=Attempt.Purpose.SEND)
    is_taken = Exists(sent.filter(outcome=Outcome.ACCEPTED))
    # The activation was built after the arrival, so it carried no key that was replaced before.
    ReplacedApiKey.objects.of(connection).filter(is_taken, replaced_at__lt=connection.arrived_at).delete()


def void_other_keys(connection: Connection, api_key: str) -> None:
    """Delete every replaced key but `api_key`, which a status shows Altegio to have."""
    ReplacedApiKey.objects.of(connection).exclude(api_key_hash=lookup_hash(api_key)).delete()
