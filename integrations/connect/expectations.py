"""Expectations: whose proof an arrival waits for. What is expected is an address, not an account.

An account may have the address without its reader (Altegio's word, a sign-up form or the partner made it), and may
take another address later. So an arrival keeps a hash of the address, and is theirs who have proven that very one.
"""

from collections.abc import Collection

from django.db.models import Q, QuerySet

from accounts.mail_addresses import address_hash
from accounts.models import AltegioIdentity, User
from accounts.proofs import has_proven_address
from integrations.connect.claimants import visitor_of
from integrations.connections.models import Arrival, Connection

# The columns that `expect` sets.
EXPECTED = ("expected_user", "expected_address_hash")


def expect(arrival: Arrival, user: User | None) -> None:
    """Let the arrival wait for whoever proves the present address of `user`, or for nobody."""
    arrival.expected_user = user
    arrival.expected_address_hash = visitor_of(user) if user is not None else ""


def expects(arrival: Arrival, user: User) -> bool:
    """Return whether the arrival waits for whoever reads the mail at the present address of `user`."""
    return bool(arrival.expected_address_hash) and arrival.expected_address_hash == visitor_of(user)


def waits_for(arrival: Arrival, user: User) -> bool:
    """Return whether `user` is the one whom the arrival waits for: they have proven the address that it expects."""
    return expects(arrival, user) and has_proven_address(user)


def claims_waiting_for(user: User, provisional: Collection[Connection]) -> set[str]:
    """Return those claims on these connections that wait for `user`, as `waits_for` says, or are known to be theirs.

    Known to be theirs is what Altegio signed for a user of its own who is linked to the account.
    """
    linked = AltegioIdentity.objects.filter(user=user).values_list("altegio_user_id", flat=True)
    signed = {f"a:{number}" for number in linked} & {each.claim for each in provisional}
    if not (has_proven_address(user) and user.email):
        return signed
    expecting = Arrival.objects.filter(
        connections__in=[each.pk for each in provisional],
        claim__in={each.claim for each in provisional},
        expected_address_hash=visitor_of(user),
    )
    return signed | set(expecting.values_list("claim", flat=True))


def arrivals_of(user: User, email: str, altegio_user_ids: Collection[int]) -> QuerySet[Arrival]:
    """Return the arrivals of an account that is being erased: its own, and those that wait for its person.

    These wait for `email`, its last address, or came from an Altegio user who was linked to it. What waits for an
    address that the account has left is another person's. An erased arrival still refers to the account, but to no
    address.
    """
    waiting = Q(altegio_user_id__in=altegio_user_ids) | Q(expected_user=user, expected_address_hash="")
    if email:
        waiting |= Q(expected_address_hash=address_hash(email))
    return Arrival.objects.filter(Q(user=user) | Q(waiting, user=None))
