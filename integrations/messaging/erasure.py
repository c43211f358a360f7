"""Removal of clients' numbers and texts from an owner's messages when the owner's account is erased."""

from typing import Any

from django.dispatch import receiver

from accounts.erasure import person_erased
from accounts.models import User
from integrations.messaging.models import RequestedMessage
from integrations.partner_events import types
from integrations.partner_events.erasure import rewrite_events
from integrations.partner_events.models import PartnerEvent


@receiver(person_erased)
def empty_messages(user: User, **_: Any) -> None:
    """Empty the messages of the owner's connections, and the events about them.

    A message without a final status is still needed; it is deleted when its retention ends.
    """
    theirs = RequestedMessage.objects.filter(connection__owner=user)
    needed = {str(key) for key in theirs.filter(state__in=RequestedMessage.NOT_FINAL).values_list("pk", flat=True)}
    theirs.exclude(state__in=RequestedMessage.NOT_FINAL).update(phone="", text="", sender_name="")

    def leave_out(data: dict[str, Any]) -> None:
        if data["message"]["ext_id"] not in needed:
            data["message"].update(phone="", text="", sender_name="")

    events = PartnerEvent.objects.filter(connection__owner=user, type=types.MESSAGE_REQUESTED)
    rewrite_events(events, leave_out)
