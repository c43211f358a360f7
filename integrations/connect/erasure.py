"""What the marketplace knows of a person, and forgets when they are erased.

Connections, and that an arrival was made, stay. A location's own name, phone and address are the
location's, not the person's.
"""

from typing import Any

from django.db.models import CharField, F, Q, Value
from django.db.models.functions import Cast, Concat, Replace
from django.dispatch import receiver

from accounts.erasure import Traces, person_erased
from accounts.models import User
from integrations.connect.models import Arrival
from integrations.models.connection import Connection, ConnectionChange
from partner_portal.masking import MASK


@receiver(person_erased)
def forget_person(user: User, traces: Traces, **_: Any) -> None:
    """Forget the person's number at Altegio, and their name where a sentence holds it."""
    arrivals = Arrival.objects.filter(Q(user=user) | Q(expected_user=user))
    numbers = set(arrivals.exclude(altegio_user_id=None).values_list("altegio_user_id", flat=True))
    numbers |= set(traces.altegio_user_ids)
    claims = [f"a:{number}" for number in numbers]
    arrivals = Arrival.objects.filter(Q(pk__in=arrivals.values("pk")) | Q(altegio_user_id__in=numbers))
    for rows in (arrivals.filter(claim__in=claims), Connection.objects.filter(claim__in=claims)):
        rows.update(claim=Concat(Value("erased:"), Cast("pk", CharField())))
    arrivals.update(altegio_user_id=None, digest="")
    for text in traces.texts:
        _blot(text)


def _blot(text: str) -> None:
    """Where staff moved a location, the record names both people. No index helps here; it is rarely done."""
    moves = ConnectionChange.objects.filter(from_state=F("to_state"), why__contains=text)
    moves.update(why=Replace("why", Value(text), Value(MASK)))
