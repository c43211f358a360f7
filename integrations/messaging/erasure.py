"""An owner who is erased leaves no numbers and texts of their clients behind."""

from typing import Any

from django.dispatch import receiver

from accounts.erasure import person_erased
from accounts.models import User
from integrations.messaging.models import RequestedMessage


@receiver(person_erased)
def empty_messages(user: User, **_: Any) -> None:
    """Those of their connections. What is on its way is needed until its end, and goes with its retention."""
    theirs = RequestedMessage.objects.filter(connection__owner=user)
    theirs.exclude(state__in=RequestedMessage.NOT_FINAL).update(phone="", text="", sender_name="")
