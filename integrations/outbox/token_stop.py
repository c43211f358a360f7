"""A token that Altegio refuses: its calls stop at once, until the token changes or staff say go on."""

from django.conf import settings
from django.dispatch import Signal

from integrations.outbox.models import TokenStop
from partner_portal.core.encryption import lookup_hash

# `message`: sent once, when the token is stopped.
token_stopped = Signal()


def fingerprint() -> str:
    """The configured token, as it may be stored."""
    return lookup_hash(settings.ALTEGIO_PARTNER_TOKEN)


def stop_token(message: str) -> None:
    """Altegio answered 401: no call goes out with this token any more."""
    _stop, made = TokenStop.objects.get_or_create(fingerprint=fingerprint(), defaults={"message": message})
    if made:
        token_stopped.send(sender=TokenStop, fingerprint=fingerprint(), message=message)


def token_is_stopped() -> bool:
    """Return whether the configured token was refused."""
    return TokenStop.objects.filter(fingerprint=fingerprint()).exists()


def resume_token() -> None:
    """Staff say that the token works again."""
    TokenStop.objects.all().delete()
