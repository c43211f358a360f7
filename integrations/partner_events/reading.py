"""Reading what is encrypted, each for itself: what fits no key any more holds up nothing but itself."""

from collections.abc import Sequence

from django.db.models import QuerySet

from integrations.partner_events.models import PartnerEvent, WebhookEndpoint
from integrations.partner_events.sending import NotAcceptedError


def without_secrets() -> QuerySet[WebhookEndpoint]:
    """The addresses, their secrets unread."""
    return WebhookEndpoint.objects.defer("secret", "previous_secret")


def read_secrets(endpoint: WebhookEndpoint) -> list[str]:
    """What the address's deliveries are signed with now. Raises NotAcceptedError where nothing can be."""
    try:
        return WebhookEndpoint.objects.get(pk=endpoint.pk).secrets
    except WebhookEndpoint.DoesNotExist:
        raise NotAcceptedError("The address was removed.") from None
    except ValueError:
        raise NotAcceptedError(
            "Its secret cannot be read: put the key back into FIELD_ENCRYPTION_KEYS, or give it a new secret."
        ) from None


def read_bodies(keys: Sequence[int]) -> dict[int, str]:
    """The events' bodies in one query, without those that cannot be read."""
    try:
        return dict(PartnerEvent.objects.filter(pk__in=keys).values_list("pk", "body"))
    except ValueError:
        middle = len(keys) // 2
        return read_bodies(keys[:middle]) | read_bodies(keys[middle:]) if middle else {}
