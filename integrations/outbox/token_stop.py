"""The stop of a refused token: its calls wait until the token changes or staff clear the stop."""

from django.conf import settings
from django.dispatch import Signal

from integrations.outbox.models import TokenStop
from partner_portal.core.encryption import lookup_hash

# Sent once, when the token is stopped, with `fingerprint` and `message`.
token_stopped = Signal()


def fingerprint() -> str:
    """Return the configured token as a hash that may be stored."""
    return lookup_hash(settings.ALTEGIO_PARTNER_TOKEN)


def stop_token(message: str) -> None:
    """Stop all calls with this token, after a 401 from Altegio."""
    _stop, made = TokenStop.objects.get_or_create(fingerprint=fingerprint(), defaults={"message": message})
    if made:
        token_stopped.send(sender=TokenStop, fingerprint=fingerprint(), message=message)


def token_is_stopped() -> bool:
    """Return whether the configured token was refused."""
    return TokenStop.objects.filter(fingerprint=fingerprint()).exists()


def resume_token() -> None:
    """Clear the stop, when staff say that the token works again."""
    TokenStop.objects.all().delete()
