"""Erasure of a person from the stored events."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import Q, QuerySet
from django.dispatch import receiver

from accounts.erasure import person_erased
from accounts.models import User
from integrations.partner_events import types
from integrations.partner_events.models import NamedPerson, PartnerEvent
from integrations.partner_events.named_people import account, altegio_user, without_person
from integrations.partner_events.reading import read_messages
from partner_portal.core.byte_portions import portions

BATCH = 200


@receiver(person_erased)
def forget_person(user: User, altegio_user_ids: set[int], **_: Any) -> None:
    """Take the person out of every event that names them; the rest of the event stays as it was sent."""
    theirs = Q(connection__owner=user) | Q(connection__claimant=user)
    rewrite_events(
        PartnerEvent.objects.filter(theirs, type__in=types.OF_CONNECTIONS),
        # The partner's id of a connection that was nobody's yet is theirs too.
        without_person({user.pk, None}, altegio_user_ids),
    )
    named = NamedPerson.objects.filter(person__in={account(user.pk), *map(altegio_user, altegio_user_ids)})
    rewrite_events(
        PartnerEvent.objects.filter(pk__in=named.values("event")), without_person({user.pk}, altegio_user_ids)
    )
    named.delete()


def rewrite_events(events: QuerySet[PartnerEvent], leave_out: Callable[[dict[str, Any]], None]) -> None:
    """Let `leave_out` take a person out of the events' `data`. Nobody can read an event whose key is lost anyway."""
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
