"""Stored arrivals: how one is written, found again when its link is followed again, and linked to connections."""

import hashlib
from collections.abc import Iterable
from datetime import datetime

from accounts.models import User
from integrations.activation.lone_token import note_lone_token_of
from integrations.connect.claim_writes import Claimed
from integrations.connect.claimants import Claimant, visitor_of
from integrations.connect.expectations import expect
from integrations.connect.parameters import Redirect
from integrations.connections.models import LIVE, UNDECIDED, Application, Arrival, ArrivalLocation, Connection
from integrations.connections.window import activation_deadline
from integrations.telephony.chains import keep_own_token, see_token
from partner_portal.core.fast_insert import insert
from partner_portal.core.middleware import current_request_id


def store_arrival(
    application: Application,
    redirect: Redirect,
    now: datetime,
    *,
    digest: str,
    claimant: Claimant | None = None,
    expected: User | None = None,
    network: str = "",
) -> Arrival:
    """Store what a redirect carried and when it came, and return the arrival.

    `claimant` claims its locations; `expected` is the account whose address must be proven first; `network` is a hash
    of where the redirect came from.
    """
    person = redirect.person
    arrival = Arrival(
        application=application,
        arrived_at=now,
        last_seen_at=now,
        deadline_at=activation_deadline(now),
        salon_ids=list(redirect.salon_ids),
        chain_id_given=redirect.chain_id,
        crm_token=redirect.crm_token,
        salon_name=person.salon_name if person else "",
        altegio_user_id=person.altegio_user_id if person else None,
        digest=digest,
        network=network,
        claim=claimant.claim if claimant else "",
        user=claimant.user if claimant else None,
        request_id=current_request_id(),
    )
    expect(arrival, expected)
    insert([arrival])
    return arrival


def digest_of(application: Application, redirect: Redirect, claimant: Claimant | None) -> str:
    """Return a digest (64 hexadecimal digits), equal for two redirects of the same claimant through the same link."""
    content = (
        application.pk,
        claimant.claim if claimant else "",
        sorted(redirect.salon_ids),
        redirect.chain_id,
        redirect.crm_token,
    )
    return hashlib.sha256(repr(content).encode()).hexdigest()


def same_arrival(
    digest: str, claim: str, expected: User | None, claimed: list[Claimed], now: datetime
) -> Arrival | None:
    """Return the earlier arrival through the same link, counted as visited again, if this visit opened nothing new.

    Return None unless that arrival still has the same claimant and expects the same account: if somebody has signed
    in on it since, whoever comes now must not be shown as them, and the signed address may belong to another account
    by now.
    """
    if any(item.is_new for item in claimed):
        return None
    # A sign-in that holds the arrival's lock waits for the connections locked here. Skipping the row avoids a
    # deadlock; this visit becomes a new arrival.
    free = Arrival.objects.select_for_update(no_key=True, skip_locked=True)
    same = free.filter(digest=digest, claim=claim, expected_user=expected)
    address = visitor_of(expected) if expected is not None else ""
    earlier = same.filter(expected_address_hash=address).order_by("-pk").first()
    if earlier is not None:
        seen_again(earlier, now)
    return earlier


def seen_again(arrival: Arrival, now: datetime) -> None:
    """Count one more visit through the same link."""
    arrival.last_seen_at = now
    arrival.visits += 1
    arrival.save(update_fields=["last_seen_at", "visits"])


def hide_others(arrival: Arrival, claimed: list[Claimed]) -> None:
    """Remove all connections but these from the page of an arrival that was seen before."""
    others = ArrivalLocation.objects.filter(arrival=arrival)
    others.exclude(connection__in=[item.connection.pk for item in claimed]).delete()


def show_connections(arrival: Arrival, claimed: list[Claimed]) -> None:
    """Show these connections on the arrival's page, and apply the arrival's proof and CRM token to them."""
    shown = [ArrivalLocation(arrival=arrival, connection=item.connection) for item in claimed]
    insert(shown, ignore_conflicts=True)
    note_owner(arrival, [item.connection for item in claimed])
    _see_token(arrival, claimed)


def note_owner(arrival: Arrival, there: Iterable[Connection]) -> None:
    """Mark these locked connections as proven if they belong to the arrival's person, and that person is proven.

    Only decided ones are marked: they were accepted, or ended, while the address had merely been typed. A CRM token
    that came with the typed address is taken from the live ones, unless this arrival brought the same.
    """
    typed = [each for each in there if not each.is_proven and _is_decided_for(arrival, each)]
    if not typed or arrival.user is None:
        return
    if not Claimant.of(arrival.user, signed=arrival.altegio_user_id is not None).is_proven:
        return
    for connection in typed:
        if connection.state in LIVE:
            keep_own_token(connection, arrival)
    Connection.objects.filter(pk__in=[each.pk for each in typed]).update(is_proven=True)


def _is_decided_for(arrival: Arrival, connection: Connection) -> bool:
    """Return whether the connection is decided and belongs to this arrival's person.

    An undecided one is marked as proven where it is claimed.
    """
    if connection.state in UNDECIDED or connection.claim != arrival.claim:
        return False
    return connection.state not in LIVE or connection.owner_id == arrival.user_id


def _see_token(arrival: Arrival, claimed: list[Claimed]) -> None:
    """Look at the CRM token that came with an owner's return to what they hold; it is not taken over.

    One location speaks for the chain, so the number of queries does not grow with the arrival.
    """
    held = [item.connection for item in claimed if item.connection.state in LIVE]
    if held and arrival.chain_id_given is not None:
        see_token(held[0], arrival)
    elif held and arrival.crm_token:
        note_lone_token_of(held[0], arrival)
