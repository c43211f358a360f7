"""An owner who is erased stands in no event any more."""

import json
from typing import Any

from django.db.models import Q
from django.dispatch import receiver

from accounts.erasure import person_erased
from accounts.models import User
from integrations.partner_events.models import PartnerEvent


@receiver(person_erased)
def forget_owner(user: User, **_: Any) -> None:
    """The events of their connections name no owner; what else they tell stays as it was sent."""
    theirs = Q(connection__owner=user) | Q(connection__claimant=user)
    events = list(PartnerEvent.objects.filter(theirs, type__startswith="connection."))
    for event in events:
        event.body = _without_owner(event.body)
    PartnerEvent.objects.bulk_update(events, ["body"], batch_size=200)


def _without_owner(body: str) -> str:
    content = json.loads(body)
    shown = content["data"].get("connection", {})
    for name in [name for name in shown if name.startswith("owner_")]:
        shown[name] = None
    return json.dumps(content, ensure_ascii=False)
