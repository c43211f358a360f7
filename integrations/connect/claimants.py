"""Claimants: what they have proven, and where their next claim stands in the line."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Count, Q

from accounts.mail_addresses import address_hash
from accounts.models import User
from accounts.proofs import has_proven_address
from integrations.connections.models import Connection
from partner_portal.core.fast_query import Query


@dataclass(frozen=True)
class Claimant:
    """A claimant: `claim` names the person; `user` is their account once it is known for sure.

    `is_proven`: Altegio signed who they are, or they signed in to an account whose address is proven. For an unproven
    claimant, `visitor` and `network` are hashes of the address that was given and of where the visit came from.
    `is_new`: their account was made by this very arrival, so nothing of theirs waits yet.
    """

    claim: str
    user: User | None
    is_proven: bool
    visitor: str = ""
    network: str = ""
    is_new: bool = False

    @classmethod
    def of(cls, user: User, *, signed: bool = False, network: str = "", is_new: bool = False) -> "Claimant":
        """Return the claimant for a known account, `signed` by Altegio on this arrival, or signed in."""
        if signed or has_proven_address(user):
            return cls(f"u:{user.pk}", user, is_proven=True, is_new=is_new)
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


# A person with more undecided claims than one arrival can name is behind everybody else anyway.
MAX_COUNTED = 5_000
NO_LIMIT = 10**9

# Not prepared: it needs the index of undecided claims, whose condition would depend on its values.
_own = Query(
    lambda claim: Connection.objects.undecided().filter(claim=claim).values_list("pk")[:MAX_COUNTED], prepare=False
)


@dataclass(frozen=True)
class Line:
    """The undecided claims `ahead` of a claimant's next one, and the `room` for more of them."""

    ahead: int
    room: int


def line_of(claimant: Claimant) -> Line:
    """Return where the claimant's next claim stands, behind all that wait for the same person, in at most one query.

    A proven person has no limit, but takes turns with others however many arrivals they make. For an unproven one,
    what waits under the same address and from the same network counts, and both have a limit.
    """
    if claimant.is_proven:
        return Line(0 if claimant.is_new else len(_own.all(claimant.claim)), NO_LIMIT)
    by_address, by_network = _unproven_claims(claimant)
    left = (
        settings.UNPROVEN_LOCATIONS_PER_ADDRESS - by_address,
        settings.UNPROVEN_LOCATIONS_PER_NETWORK - by_network,
    )
    return Line(max(by_address, by_network), max(min(left), 0))


def _unproven_claims(claimant: Claimant) -> tuple[int, int]:
    """Return how many undecided unproven claims this claimant's address has, and how many its network has."""
    by_address = Q(visitor=claimant.visitor) & ~Q(visitor="")
    by_network = Q(network=claimant.network) & ~Q(network="")
    waiting = Connection.objects.undecided().filter(by_address | by_network, is_proven=False)
    counts: dict[str, Any] = waiting.aggregate(
        address=Count("pk", filter=by_address), network=Count("pk", filter=by_network)
    )
    return counts["address"], counts["network"]
