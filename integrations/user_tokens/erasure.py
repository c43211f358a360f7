"""A person who is erased leaves no token behind."""

from typing import Any

from django.dispatch import receiver

from accounts.erasure import person_erased
from integrations.user_tokens.models import UserToken


@receiver(person_erased)
def delete_tokens(altegio_user_ids: set[int], **_: Any) -> None:
    """Their tokens, and what was read with them."""
    UserToken.objects.filter(altegio_user_id__in=altegio_user_ids).delete()
