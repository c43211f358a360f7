"""An owner who is erased stands in no event any more."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import Q, QuerySet
from django.dispatch import receiver

from accounts.erasure import person_erased
from accounts.models import User
from integrations.partner_events.models import PartnerEvent
from integrations.partner_events.reading import read_messages
from partner_portal.core.byte_portions import portions

BATCH = 200


@receiver(person_erased)
def forget_owner(user: User, **_: Any) -> None:
    """Take the owner out of the events of their connections; what else these tell stays as it was sent."""
    theirs = Q(connection__owner=user) | Q(connection__claimant=user)
    rewrite_events(PartnerEvent.objects.filter(theirs, type__startswith="connection."), _leave_owner_out)


def rewrite_events(events: QuerySet[PartnerEvent], leave_out: Callable[[dict[str, Any]], None]) -> None:
    """Let `leave_out` take a person out of the events' `data`. One whose key is lost is read by nobody anyway."""
    keys = list(events.values_list("pk", flat=True))
    for start in range(0, len(keys), BATCH):
        for portion in portions(PartnerEvent.objects.all(), "body", keys[start : start + BATCH]):
            _rewrite(portion, leave_out)


def _rewrite(keys: Sequence[int], leave_out: Callable[[dict[str, Any]], None]) -> None:
    messages = read_messages(keys)
    changed = [PartnerEvent(pk=key, body=_rewritten(message.body, leave_out)) for key, message in messages.items()]
    PartnerEvent.objects.bulk_update(changed, ["body"])


def _rewritten(body: str, leave_out: Callable[[dict[str, Any]], None]) -> str:
    content = json.loads(body)
    leave_out(content["data"])
    return json.dumps(content, ensure_ascii=False)


def _leave_owner_out(data: dict[str, Any]) -> None:
    shown = data.get("connection", {})
    shown.update({name: None for name in shown if name.startswith("owner_") or name == "external_id"})
