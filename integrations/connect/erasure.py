"""Erasure of what the marketplace knows of a person.

Connections, and the fact that an arrival was made, stay. A location's own name, phone and address are the location's,
not the person's.
"""

from typing import Any

from django.db.models import CharField, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat
from django.dispatch import receiver

from accounts.erasure import person_erased
from accounts.mail_addresses import address_hash
from accounts.models import User
from integrations.activation.binding import ERASED
from integrations.activation.waiting_call import end_claim
from integrations.connect.expectations import arrivals_of
from integrations.connections.models import Arrival, Connection
from integrations.connections.querysets import ConnectionQuerySet
from integrations.connections.transitions import hold, tell_details, touch


@receiver(person_erased)
def forget_person(user: User, email: str, altegio_user_ids: set[int], **_: Any) -> None:
    """Erase the person's number at Altegio and the partner's id of them, and end what they claim."""
    arrivals = list(arrivals_of(user, email, altegio_user_ids).values_list("pk", flat=True))
    claimed = _claimed_on(Arrival.objects.filter(pk__in=arrivals), user, altegio_user_ids)
    theirs = Q(claimant=user) | Q(claim=f"u:{user.pk}") | Q(pk__in=claimed)
    # Whoever typed the address; what is somebody's by now is not the erased person's.
    typed = Q(visitor=address_hash(email), owner=None, claimant=None) & ~Q(visitor="")
    held = Connection.objects.filter(pk__in=hold(Connection.objects.filter(theirs | Q(owner=user) | typed)))
    _end_claims(held.filter(theirs))
    held.filter(pk__in=claimed).update(claim=_erased())
    held.update(visitor="", network="")
    _forget_arrivals(arrivals, user, altegio_user_ids)
    own = touch(Connection.objects.filter(owner=user))
    # The partner's id identifies the person in the partner's own records.
    Connection.objects.filter(pk__in=own).update(external_id="", has_own_external_id=False)
    tell_details(own)


def _claimed_on(arrivals: QuerySet[Arrival], user: User, altegio_user_ids: set[int]) -> list[int]:
    """Return the connections that are claimed provisionally for the person: nobody was signed in to the account.

    One Altegio user's claims have one name, whatever address was set there: what is claimed by that name on an
    arrival that waits for another address is not theirs.
    """
    claims = {f"a:{number}" for number in altegio_user_ids}
    claims |= set(arrivals.exclude(claim__in=("", f"u:{user.pk}")).values_list("claim", flat=True))
    others = Arrival.objects.filter(claim__in=claims).exclude(pk__in=arrivals.values("pk"))
    on_others = Connection.objects.filter(arrivals__in=others).values("pk")
    return list(Connection.objects.filter(claim__in=claims).exclude(pk__in=on_others).values_list("pk", flat=True))


def _forget_arrivals(keys: list[int], user: User, altegio_user_ids: set[int]) -> None:
    """Empty the person's arrivals. Those that wait for an address that the account has left stay as they are."""
    arrivals = Arrival.objects.filter(pk__in=keys)
    arrivals.filter(user=None).exclude(claim="").update(claim=_erased(), expected_user=user)
    arrivals.update(altegio_user_id=None, digest="", network="", expected_address_hash="")
    Arrival.objects.filter(expected_user=user).exclude(pk__in=keys).update(expected_user=None)
    Arrival.objects.filter(altegio_user_id__in=altegio_user_ids).update(altegio_user_id=None)


def _erased() -> Concat:
    return Concat(Value(ERASED), Cast("pk", CharField()))


def _end_claims(held: ConnectionQuerySet) -> None:
    """End their claims that Altegio has not accepted yet: they would connect a location for somebody who is gone."""
    for connection in held.undecided().order_by("pk"):
        end_claim(connection, "The person behind it was erased.")
