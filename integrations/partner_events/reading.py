"""Reading of encrypted columns, one by one: what fits no key any more holds up only itself."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from django.db.models import QuerySet

from integrations.partner_events.models import PartnerEvent, WebhookEndpoint
from integrations.partner_events.sending import NotAcceptedError
from partner_portal.core.byte_portions import portions
from partner_portal.core.many_values import any_key


def without_secrets() -> QuerySet[WebhookEndpoint]:
    """Return the addresses without their secrets, which stay undecrypted."""
    return WebhookEndpoint.objects.defer("secret", "previous_secret")


def read_secrets(endpoint: WebhookEndpoint) -> list[str]:
    """Return the secrets that sign the address's deliveries now. Raises NotAcceptedError if none can be read."""
    try:
        return WebhookEndpoint.objects.get(pk=endpoint.pk).secrets
    except WebhookEndpoint.DoesNotExist:
        raise NotAcceptedError("The address was removed.") from None
    except ValueError:
        raise NotAcceptedError(
            "Its secret cannot be read: put the key back into FIELD_ENCRYPTION_KEYS, or give it a new secret."
        ) from None


class Message(NamedTuple):
    """The part of an event that is posted."""

    message_id: str
    body: str


def read_each(keys: Sequence[int]) -> Iterator[Message | None]:
    """Yield the message of each of these events, in order; None for one that cannot be read.

    They are read as they are asked for, portion by portion.
    """
    for portion in portions(PartnerEvent.objects.all(), "body", keys):
        found = read_messages(portion)
        yield from map(found.get, portion)


def read_messages(keys: Sequence[int]) -> dict[int, Message]:
    """Return the messages of these events by key, in one query, without those that cannot be read."""
    rows = PartnerEvent.objects.filter(pk__in=any_key(keys)).values_list("pk", "message_id", "body")
    try:
        return {pk: Message(message_id, body) for pk, message_id, body in rows}
    except ValueError:
        middle = len(keys) // 2
        return read_messages(keys[:middle]) | read_messages(keys[middle:]) if middle else {}
