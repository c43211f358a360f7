"""An owner who is erased leaves no numbers and texts of their clients behind."""

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
    """Those of their connections, and the events that tell of them.

    What is on its way is needed until its end, and goes with its retention.
    """
    theirs = RequestedMessage.objects.filter(connection__owner=user)
    needed = {str(key) for key in theirs.filter(state__in=RequestedMessage.NOT_FINAL).values_list("pk", flat=True)}
    theirs.exclude(state__in=RequestedMessage.NOT_FINAL).update(phone="", text="", sender_name="")

    def leave_out(data: dict[str, Any]) -> None:
        if data["message"]["ext_id"] not in needed:
            data["message"].update(phone="", text="", sender_name="")

    events = PartnerEvent.objects.filter(connection__owner=user, type=types.MESSAGE_REQUESTED)
    rewrite_events(events, leave_out)
