"""A person who is erased leaves no token behind."""

from typing import Any

from django.dispatch import receiver

from accounts.erasure import Traces, person_erased
from integrations.user_tokens.models import UserToken


@receiver(person_erased)
def delete_tokens(traces: Traces, **_: Any) -> None:
    """Their tokens, and what was read with them."""
    UserToken.objects.filter(altegio_user_id__in=traces.altegio_user_ids).delete()
