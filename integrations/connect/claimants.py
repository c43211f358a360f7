"""Claimants: what they have proven, and how many claims of an unproven one may wait."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Count, Q

from accounts.mail_addresses import address_hash
from accounts.models import User
from accounts.proofs import has_proven_address
from integrations.connections.models import Connection


@dataclass(frozen=True)
class Claimant:
    """A claimant: `claim` names the person; `user` is their account once it is known for sure.

    `is_proven`: Altegio signed who they are, or they signed in to an account whose address is proven. For an unproven
    claimant, `visitor` and `network` are hashes of the address that was given and of where the visit came from.
    """

    claim: str
    user: User | None
    is_proven: bool
    visitor: str = ""
    network: str = ""

    @classmethod
    def of(cls, user: User, *, signed: bool = False, network: str = "") -> "Claimant":
        """Return the claimant for a known account, `signed` by Altegio on this arrival, or signed in."""
        if signed or has_proven_address(user):
            return cls(f"u:{user.pk}", user, is_proven=True)
        return cls(f"u:{user.pk}", user, is_proven=False, visitor=visitor_of(user), network=network)

    @classmethod
    def behind(cls, connection: Connection) -> "Claimant":
        """Return the person of an earlier connection, who has come back to it."""
        user = connection.owner or connection.claimant
        if user is not None:
            return cls.of(user, signed=connection.is_proven, network=connection.network)
        known = (connection.is_proven, connection.visitor, connection.network)
        return cls(connection.claim, None, *known)


def visitor_of(user: User) -> str:
    """Return the hash under which an e-mail address is stored beside a claim; "" without an address."""
    return address_hash(user.email or "")


def turns_taken(claimant: Claimant) -> tuple[int, int]:
    """Return how many undecided unproven claims this claimant's address has, and how many its network has."""
    if claimant.is_proven:
        return 0, 0
    by_address = Q(visitor=claimant.visitor) & ~Q(visitor="")
    by_network = Q(network=claimant.network) & ~Q(network="")
    waiting = Connection.objects.undecided().filter(by_address | by_network, is_proven=False)
    counts: dict[str, Any] = waiting.aggregate(
        address=Count("pk", filter=by_address), network=Count("pk", filter=by_network)
    )
    return counts["address"], counts["network"]


def room_for(claimant: Claimant, taken: tuple[int, int]) -> int:
    """Return how many more undecided claims this claimant may have; a proven one has no limit."""
    if claimant.is_proven:
        return 10**9
    address, network = taken
    left = (
        settings.UNPROVEN_LOCATIONS_PER_ADDRESS - address,
        settings.UNPROVEN_LOCATIONS_PER_NETWORK - network,
    )
    return max(min(left), 0)
