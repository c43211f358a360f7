"""Deletion of a person's user tokens when the person is erased."""

from typing import Any

from django.dispatch import receiver

from accounts.erasure import person_erased
from integrations.user_tokens.models import UserToken


@receiver(person_erased)
def delete_tokens(altegio_user_ids: set[int], **_: Any) -> None:
    """Delete the tokens of these Altegio users, and the notification settings read with them."""
    UserToken.objects.filter(altegio_user_id__in=altegio_user_ids).delete()
