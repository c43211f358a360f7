"""What proves who somebody is, and since when it is proven."""

from django.utils import timezone

from accounts.models import User


def has_proven_address(user: User) -> bool:
    """Whether a link that was sent to the account's present address has been opened."""
    return user.email_proven_at is not None


def note_proof(user: User) -> None:
    """A link that was sent to the address of `user` has been opened; the first time counts."""
    if user.email_proven_at is None:
        user.email_proven_at = timezone.now()
        user.save(update_fields=["email_proven_at"])
