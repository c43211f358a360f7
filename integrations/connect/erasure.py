"""Erasure of what the marketplace knows of a person.

Connections, and the fact that an arrival was made, stay. A location's own name, phone and address are the location's,
not the person's.
"""

from typing import Any

from django.db.models import CharField, Q, Value
from django.db.models.functions import Cast, Concat
from django.dispatch import receiver

from accounts.erasure import person_erased
from accounts.models import User
from integrations.activation.binding import ERASED
from integrations.activation.waiting_call import end_claim
from integrations.connections.models import Arrival, Connection
from integrations.connections.querysets import ConnectionQuerySet
from integrations.connections.transitions import hold, tell_details, touch


@receiver(person_erased)
def forget_person(user: User, altegio_user_ids: set[int], **_: Any) -> None:
    """Erase the person's number at Altegio and the partner's id of them, and end what they claim."""
    arrivals = Arrival.objects.filter(Q(user=user) | Q(expected_user=user))
    numbers = set(arrivals.exclude(altegio_user_id=None).values_list("altegio_user_id", flat=True))
    numbers |= altegio_user_ids
    claims = [f"a:{number}" for number in numbers]
    arrivals = Arrival.objects.filter(Q(pk__in=arrivals.values("pk")) | Q(altegio_user_id__in=numbers))
    every = {*claims, *arrivals.exclude(claim="").values_list("claim", flat=True)}
    # Claims made under the person's address by somebody who was not signed in wait for them too.
    waiting = list(Connection.objects.filter(arrivals__in=arrivals).values_list("pk", flat=True))
    theirs = Q(claimant=user) | Q(owner=user) | Q(pk__in=waiting) | Q(claim__in=every)
    held = Connection.objects.filter(pk__in=hold(Connection.objects.filter(theirs)))
    _end_claims(held.filter(Q(claimant=user) | Q(claim__in=every)))
    provisional = [claim for claim in every if not claim.startswith("u:")]
    for rows in (arrivals.filter(claim__in=provisional), held.filter(claim__in=provisional)):
        rows.update(claim=Concat(Value(ERASED), Cast("pk", CharField())))
    arrivals.update(altegio_user_id=None, digest="", network="", expected_address_hash="")
    held.update(visitor="", network="")
    own = touch(Connection.objects.filter(owner=user))
    # The partner's id identifies the person in the partner's own records.
    Connection.objects.filter(pk__in=own).update(external_id="", has_own_external_id=False)
    tell_details(own)


def _end_claims(held: ConnectionQuerySet) -> None:
    """End their claims that Altegio has not accepted yet: they would connect a location for somebody who is gone."""
    for connection in held.undecided().order_by("pk"):
        end_claim(connection, "The person behind it was erased.")
