"""Assignment of locations to chains and their CRM tokens, and the switching of each chain's telephony.

A chain's number and its CRM token stand unsigned in the redirect, so they prove little. A location's calls are sent
only under the token that came with the connection that Altegio accepted for its own owner. So nothing that a stranger
brings changes other people's locations (a `Chain` is one number with one token). A token that comes on a later visit,
or with another location, changes nothing at all: a link proves who a person is, not that the token beside it is
theirs. If an owner's locations have more than one token, staff decide which one is the chain's.
"""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.proofs import has_proven_address
from integrations.connections.models import LIVE, Application, Arrival, Chain, Connection, Location, token_hash
from integrations.connections.transitions import touch
from integrations.telephony.call_kinds import retire_chain, switch_telephony
from integrations.telephony.chain_notices import (
    forget_two_tokens,
    tell_of_another_speaker,
    tell_of_contradiction,
    tell_of_new_token,
    tell_of_typed_address,
    tell_others,
)
from integrations.telephony.speakers import speakers, speakers_of, spoken_for_by
from integrations.telephony.two_tokens import look_for_two_tokens
from partner_portal.core.overtaken import again_when_overtaken


@dataclass(frozen=True)
class Brought:
    """A chain as an arrival named it: its number at Altegio, and its CRM token or ""."""

    altegio_id: int
    crm_token: str


def adopt_chain(connection: Connection) -> None:
    """Put the location of a connection that Altegio has accepted under the token that came with the connection.

    Do nothing while the connection is disputed: until staff decide, neither it nor its token belongs to anybody. Do
    nothing either if another person's connection keeps speaking for the location.
    """
    if connection.is_disputed:
        return
    before = speakers().filter(location=connection.location_id).exclude(pk=connection.pk).first()
    if before is not None and before.owner_id is not None and before.owner_id == connection.owner_id:
        if connection.is_proven and not before.is_proven:
            _disown(connection, _brought_by(before.arrivals.all(), before), _brought(connection))
    elif before is None or _gives_way(before, connection):
        _leave(connection, before.owner_id if before else None)
    else:
        return
    _take(connection, _brought(connection))


def keep_own_token(connection: Connection, arrival: Arrival) -> None:
    """Drop the token of a live connection that was accepted under a typed e-mail address, now that its owner came.

    On `arrival` the owner has proven who they are. The token stays if that arrival brought the same one.
    """
    typed = _brought_by(connection.arrivals.exclude(pk=arrival.pk), connection)
    _disown(connection, typed, _brought_by(Arrival.objects.filter(pk=arrival.pk)))


def hand_over_chain(live: Connection, claim: Connection, former_owner_id: int | None) -> None:
    """Give the location the chain that came with `claim` alone, after staff moved `live` to its claimant."""
    _leave(live, former_owner_id)
    _take(live, _brought(claim))


def resume_chain(connection: Connection) -> None:
    """Switch telephony on again for a connection that had not ended after all, if it still speaks there."""
    chain = connection.location.chain
    if chain is not None and speakers().filter(location=connection.location_id).first() == connection:
        _switch_on(_lock_chain(chain.pk))


def see_token(connection: Connection, arrival: Arrival) -> None:
    """Check the token that a returning owner brings: the known one switches telephony on, another one is reported."""
    if not arrival.crm_token:
        return
    chain = connection.location.chain
    if chain is None or (chain.altegio_id, chain.crm_token) != (arrival.chain_id_given, arrival.crm_token):
        tell_of_new_token(connection)
        return
    _switch_on(_lock_chain(chain.pk))


@transaction.atomic
def switch_on_again(chain_id: int) -> bool:
    """Retry a refused switch of a chain that has a token and a live connection; return whether it was queued."""
    chain = _lock_chain(chain_id)
    alive = Connection.objects.live().filter(location__chain=chain).exists()
    if chain.telephony != Chain.Telephony.FAILED or not alive or not chain.crm_token:
        return False
    switch_telephony(chain, on=True)
    return True


@again_when_overtaken
def confirm_chain(chain_id: int) -> None:
    """Record staff's finding that, of all chains with its number, this one has the right token.

    All locations of this number whose owners have brought this token continue under it.
    """
    number = Chain.objects.values_list("altegio_id", flat=True).get(pk=chain_id)
    # Locations are locked before chains, as when an acceptance is recorded: one order everywhere prevents deadlocks.
    places = Location.objects.filter(chain__altegio_id=number).order_by("altegio_id")
    list(places.select_for_update(of=("self",), no_key=True).values_list("pk"))
    same_number = Chain.objects.select_for_update(no_key=True).filter(altegio_id=number).order_by("pk")
    chain = {row.pk: row for row in same_number}[chain_id]
    Chain.objects.filter(altegio_id=number).exclude(pk=chain_id).update(is_confirmed=False)
    Chain.objects.filter(pk=chain_id).update(is_confirmed=True)
    left: set[int] = set()
    for owner_id in speakers_of(chain):
        left |= _bring_along(owner_id, chain)
        forget_two_tokens(owner_id, number)
    _retire(left, chain)
    if left:
        _switch_on(chain)


def is_to_be_confirmed(chain: Chain) -> bool:
    """Return whether staff may confirm this chain: another has its number, or some locations have not followed yet.

    A chain that is confirmed already may be confirmed again only in the latter case.
    """
    if not chain.crm_token or not chain.locations.exists():
        return False
    if not chain.is_confirmed:
        return Chain.objects.filter(altegio_id=chain.altegio_id).exclude(pk=chain.pk).exists()
    return any(_under_another_token(owner_id, chain).exists() for owner_id in speakers_of(chain))


def is_proven() -> Q:
    """Return a condition on chains: the token is in use at a location whose connection Altegio has once accepted.

    Ended connections count too, so that an owner who disconnects for a day leaves their calls to nobody else.
    """
    accepted = Connection.objects.filter(location__chain=OuterRef("pk"), activated_at__isnull=False)
    return Q(Exists(accepted)) & ~Q(crm_token_hash="")


def _gives_way(before: Connection, to: Connection) -> bool:
    """Return whether another person's connection `before` stops speaking for the location now that `to` is accepted.

    A live one does not stop, and an application of another kind takes telephony from nobody. Report to the owner and
    staff if `to` brought a chain all the same.
    """
    telephony = Application.Kind.TELEPHONY
    if before.application.kind == telephony != to.application.kind:
        return False
    if before.state not in LIVE:
        return True
    if _brought(to):
        tell_of_another_speaker(to)
    return False


def _disown(connection: Connection, typed: set[Brought], own: set[Brought]) -> None:
    """Take the location out of a chain whose token a `typed` address brought, unless `own` arrivals did too."""
    chain = connection.location.chain
    if chain is None or not chain.crm_token:
        return
    if Brought(chain.altegio_id, chain.crm_token) in typed - own:
        tell_of_typed_address(connection)
        _leave(connection, connection.owner_id)


def _leave(connection: Connection, former_owner_id: int | None) -> None:
    """Remove the connection's location from the chain that its former owner brought."""
    location = connection.location
    if location.chain_id is not None:
        touch(Connection.objects.filter(location=location))
        _stand_in(location, None, former_owner_id)


def _stand_in(location: Location, chain: Chain | None, former_owner_id: int | None) -> None:
    """Change a location's chain, and recheck whether the former owner's other locations share one token again."""
    before, location.chain = location.chain, chain
    location.save(update_fields=["chain"])
    if before is not None:
        look_for_two_tokens(former_owner_id, before.altegio_id)


def _brought(connection: Connection) -> set[Brought]:
    """Return what the claimant's own arrivals brought before the acceptance; more than one value is a contradiction.

    Anybody may have typed the owner's e-mail address into the sign-up form, and such arrivals lead to this connection
    too. They count for their own claim alone, and no longer even for that once the owner has proven the address.
    """
    own = connection.arrivals.filter(claim=connection.claim)
    if not connection.is_proven and connection.owner is not None and has_proven_address(connection.owner):
        own = own.exclude(signed_up=True)
    return _brought_by(own, connection)


def _brought_by(arrivals: QuerySet[Arrival], accepted: Connection | None = None) -> set[Brought]:
    """Return what these arrivals brought before the acceptance; a chain without a token contradicts no token."""
    arrivals = arrivals.exclude(chain_id_given=None)
    if accepted is not None and accepted.activated_at is not None:
        arrivals = arrivals.filter(arrived_at__lte=accepted.activated_at)
    found = {Brought(arrival.chain_id_given or 0, arrival.crm_token) for arrival in arrivals.order_by("pk")}
    return {one for one in found if one.crm_token} or found


def _take(connection: Connection, brought: set[Brought]) -> None:
    if len(brought) > 1:
        tell_of_contradiction(connection)
    elif brought:
        _join(connection, brought.pop())


def _join(connection: Connection, brought: Brought) -> None:
    location = connection.location
    before = location.chain
    if not brought.crm_token and before is not None and before.crm_token:
        _switch_on(_lock_chain(before.pk))
        return
    if before is None or before.altegio_id != brought.altegio_id:
        touch(Connection.objects.filter(location=location))
    chain = _locked_chain(brought) if brought.crm_token else _chain_without_token(connection, brought.altegio_id)
    if before != chain:
        _stand_in(location, chain, connection.owner_id)
    left = {before.pk} if before is not None and before != chain else set()
    if brought.crm_token:
        _retire(left, chain)
        _switch_on(chain)
        look_for_two_tokens(connection.owner_id, chain.altegio_id, brought_by=connection)
    tell_others(connection, chain)


def _chain_without_token(connection: Connection, altegio_id: int) -> Chain:
    """Return the chain whose token this owner has brought already at another location, else a chain without a token.

    If the owner has brought more than one token, use none, because nobody can tell which is the right one. A proven
    owner's location does not follow a token that came under a typed address.
    """
    known: list[Chain] = []
    if connection.owner_id is not None:
        own = spoken_for_by(connection.owner_id, only_proven=connection.is_proven)
        own = own.filter(chain__altegio_id=altegio_id)
        known = list(Chain.objects.filter(is_proven(), altegio_id=altegio_id, locations__in=own).distinct()[:2])
    return known[0] if len(known) == 1 else _locked_chain(Brought(altegio_id, ""))


def _lock_chain(chain_id: int) -> Chain:
    return Chain.objects.select_for_update(no_key=True).get(pk=chain_id)


def _locked_chain(brought: Brought) -> Chain:
    which = {"altegio_id": brought.altegio_id, "crm_token_hash": token_hash(brought.crm_token)}
    Chain.objects.get_or_create(**which, defaults={"crm_token": brought.crm_token})
    return Chain.objects.select_for_update(no_key=True).get(**which)


def _under_another_token(owner_id: int, chain: Chain) -> QuerySet[Location]:
    return spoken_for_by(owner_id).filter(chain__altegio_id=chain.altegio_id).exclude(chain=chain)


def _bring_along(owner_id: int, chain: Chain) -> set[int]:
    """Move the owner's other locations of this number to this chain; return the ids of the chains they leave."""
    moved = dict(_under_another_token(owner_id, chain).values_list("pk", "chain"))
    Location.objects.filter(pk__in=moved).update(chain=chain)
    return {left for left in moved.values() if left is not None}


def _retire(left: set[int], chain: Chain) -> None:
    """Retire the `left` chains of the same number that have no live connection: their token was replaced."""
    alive = Connection.objects.live().filter(location__chain=OuterRef("pk"))
    empty = Chain.objects.filter(~Exists(alive), pk__in=left, altegio_id=chain.altegio_id)
    for old in empty.select_for_update(no_key=True).order_by("pk"):
        retire_chain(old, chain)


def _switch_on(chain: Chain) -> None:
    if chain.crm_token and chain.telephony not in (Chain.Telephony.ON, Chain.Telephony.ENABLING):
        switch_telephony(chain, on=True)
