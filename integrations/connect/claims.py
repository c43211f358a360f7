"""Claims: what an arrival leads to at each of its locations (docs/altegio.md §1).

A claim proves nothing yet; Altegio's acceptance of the activation does. This module reads the facts under locks, in a
constant number of queries; `decisions.decide` says what follows from them, and `ClaimPlan` writes it.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from integrations.activation.claim_order import REFUSAL_LASTS, persistent_claims
from integrations.activation.waiting_call import end_claims, renew_deadlines
from integrations.alerts.windows import begin_window
from integrations.connect.arrival_records import note_owner
from integrations.connect.claim_writes import Claimed, ClaimPlan
from integrations.connect.claimants import Claimant, line_of
from integrations.connect.decisions import decide
from integrations.connect.expectations import claims_waiting_for
from integrations.connect.location_facts import ClaimedLocation
from integrations.connections.external_ids import bound_to
from integrations.connections.models import (
    LIVE,
    NOT_ENDED,
    UNDECIDED,
    Application,
    Arrival,
    ArrivalLocation,
    Connection,
    EndedBy,
    Location,
    State,
)
from integrations.connections.transitions import lock, lock_each, tell_details
from integrations.connections.window import activation_deadline, activation_window
from integrations.status_sync.status_sync import ask_status_of_returned
from integrations.telephony.two_tokens import look_at_bound
from partner_portal.core.fast_insert import insert
from partner_portal.core.fast_query import Query
from partner_portal.core.overtaken import OvertakenError


def claim_locations(
    application: Application,
    salon_ids: Sequence[int],
    claimant: Claimant,
    *,
    arrived_at: datetime,
    now: datetime,
) -> list[Claimed]:
    """Claim every location for `claimant`, in the caller's transaction, and queue what follows.

    The number of queries is constant, however many locations and rivals there are. Arrivals for the same location
    wait for each other. Raises OvertakenError if another arrival has made a connection meanwhile, and IntegrityError
    if it has made the location: the caller retries the transaction. A location for which there is no room
    (`claimants.line_of`) is left out.
    """
    locations, current = _locked(application, salon_ids, claimant, now)
    if _give_what_waits(current, claimant):
        places = {place.altegio_id: place for place in locations.values()}
        current = _current_connections(application, places, claimant, now)
    persistent = _persistent_claims(current, claimant)
    line = line_of(claimant)
    plan = ClaimPlan(application, claimant, arrived_at, activation_deadline(arrived_at), now, line.ahead)
    for salon_id in salon_ids:
        key = locations[salon_id].pk
        place = ClaimedLocation(current[key], claimant, now, frozenset(persistent[key]))
        facts = place.facts(in_time=now < plan.deadline, has_room=plan.opened < line.room)
        plan.note(decide(facts), locations[salon_id], place)
    return plan.finish()


_known_ids = Query(lambda *salon_ids: Location.objects.filter(altegio_id__in=salon_ids).values_list("altegio_id"))


def _locked(
    application: Application, salon_ids: Sequence[int], claimant: Claimant, now: datetime
) -> tuple[dict[int, Location], dict[int, list[Connection]]]:
    """Return the locations by their ids at Altegio, and the connections there by location key, all of them locked.

    Raises OvertakenError if a connection appeared that is not locked.
    """
    # The fixed lock order, by id, prevents deadlocks between two arrivals.
    ordered = sorted(set(salon_ids))
    known = {salon_id for (salon_id,) in _known_ids.all(*ordered)}
    locations: dict[int, Location] = {}
    current: dict[int, list[Connection]] = defaultdict(list)
    if known:
        locked = _lock_connections(application, ordered)
        locations = _lock_locations(known)
        current = _current_connections(application, locations, claimant, now)
        there = {each.pk for found in current.values() for each in found if each.state in NOT_ENDED}
        if not there <= locked:
            raise OvertakenError
    # A new location has no connections. A transaction that inserts the same location now waits for this one's end.
    new = [Location(altegio_id=salon_id) for salon_id in ordered if salon_id not in known]
    insert(new)
    return locations | {location.altegio_id: location for location in new}, current


def _lock_connections(application: Application, salon_ids: Sequence[int]) -> set[int]:
    """Lock the connections that have not ended at these locations, and return their keys.

    Connections are locked before locations, as where Altegio's answers are written: the fixed order prevents
    deadlocks.
    """
    there = Connection.objects.not_ended().filter(application=application, location__altegio_id__in=salon_ids)
    return set(there.select_for_update(of=("self",), no_key=True).order_by("pk").values_list("pk", flat=True))


def _lock_locations(salon_ids: Iterable[int]) -> dict[int, Location]:
    found = Location.objects.select_for_update(no_key=True).filter(altegio_id__in=salon_ids).order_by("altegio_id")
    return {location.altegio_id: location for location in found}


def _current_connections(
    application: Application, locations: dict[int, Location], claimant: Claimant, now: datetime
) -> dict[int, list[Connection]]:
    """Return the connections at the locations that matter to this claim, by location key.

    These are the undecided and live ones, those that ended but whose holder may have come back within a window, and
    those on which this claimant was refused recently.
    """
    by_key = {place.pk: place for place in locations.values()}
    here = Connection.objects.filter(application=application, location__in=list(by_key))
    refused = here.filter(claim=claimant.claim).refused(now - REFUSAL_LASTS)
    # The newest refusals are enough; a visitor who comes five times a second leaves many.
    newest = refused.order_by("-pk").values("pk")[: 2 * len(by_key)]
    found: dict[int, list[Connection]] = defaultdict(list)
    back = Q(state=State.UNINSTALLED, last_arrived_at__gt=now - activation_window())
    for connection in here.filter(Q(state__in=NOT_ENDED) | back | Q(pk__in=newest)).order_by("pk"):
        # Both rows are loaded already; a join would cost a tenth of an arrival's time.
        connection.application, connection.location = application, by_key[connection.location_id]
        found[connection.location_id].append(connection)
    return found


def _persistent_claims(current: dict[int, list[Connection]], claimant: Claimant) -> dict[int, set[str]]:
    """Return the persistent claims by location key, where another proven person claims the location too.

    A claim is persistent if its claimant was refused there repeatedly (`persistent_claims`).
    """
    rivals = [
        each
        for connections in current.values()
        for each in connections
        if each.is_proven and each.state in UNDECIDED and each.claim != claimant.claim
    ]
    if not (rivals and claimant.is_proven):
        return defaultdict(set)
    return persistent_claims(
        rivals[0].application,
        {each.location_id for each in rivals},
        {claimant.claim, *(each.claim for each in rivals)},
    )


def _give_what_waits(current: dict[int, list[Connection]], claimant: Claimant) -> bool:
    """Give the claimant the claims of arrivals that wait for them, so that they are not their own rivals.

    Return whether any such claims were waiting.
    """
    if claimant.user is None:
        return False
    provisional = [
        each
        for connections in current.values()
        for each in connections
        if each.claimant_id is None and each.claim != claimant.claim
    ]
    if not provisional:
        return False
    waiting = claims_waiting_for(claimant.user, provisional)
    give_claims(provisional, waiting, claimant)
    return bool(waiting)


def go_on_as_new(ended: Connection) -> None:
    """Claim the location anew for an owner who came back after `ended`: Altegio waits for an activation there.

    `ended` is locked; the portal may not have known of its end when they came. Nothing happens if its owner has not
    arrived within the window: then the grant is not known to be theirs. Each arrival goes on only once.
    """
    now = timezone.now()
    if ended.last_arrived_at == ended.arrived_at or now >= activation_deadline(ended.last_arrived_at):
        return
    later = Connection.objects.same_place(ended).filter(pk__gt=ended.pk, arrived_at=ended.last_arrived_at)
    # A claim that the portal ended because its claimant was given this connection does not count.
    if later.exclude(state=State.FAILED, ended_by=EndedBy.PORTAL).exists():
        return
    claimant = Claimant.behind(ended)
    salon_ids, arrived_at = [ended.location.altegio_id], ended.last_arrived_at
    claimed = claim_locations(ended.application, salon_ids, claimant, arrived_at=arrived_at, now=now)
    shown = ArrivalLocation.objects.filter(connection=ended, arrival__last_seen_at__gte=arrived_at)
    for item in claimed:
        shown.update(connection=item.connection)


def give_claims(connections: Iterable[Connection], old_claims: Collection[str], claimant: Claimant) -> None:
    """Give the claimant what was claimed under `old_claims`, now that the person behind them is known.

    The connections are locked by the caller's transaction. A live connection that waited for the claimant becomes
    theirs, unless staff must decide whose it is. Where they already have a connection or a claim of their own, one of
    the two stands. The number of queries is constant, apart from receivers of a claim's end.
    """
    given = [each for each in connections if each.claim in old_claims]
    if not given:
        return
    own = _own_beside(given, claimant)
    aside: list[tuple[Connection, Connection]] = []
    bound: list[Connection] = []
    for connection in filter(_may_stand, given):
        mine = own.setdefault(_place(connection), connection)
        if connection.state in UNDECIDED and mine is not connection:
            aside.append((connection, mine))
        elif connection.state in LIVE:
            bound.append(connection)
            own[_place(connection)] = connection
            if mine is not connection:
                aside.append((mine, connection))
    stand_aside(aside)
    _change_each(given, claim=claimant.claim, claimant=claimant.user)
    for has_own_id in (False, True):
        same = [each for each in bound if each.has_own_external_id == has_own_id]
        if same:
            _change_each(same, **bound_to(same[0], claimant.user))
    keys = [each.pk for each in bound]
    look_at_bound(keys)
    tell_details(keys)


def _may_stand(connection: Connection) -> bool:
    """Return whether it can be the claimant's one connection here: what has ended, or is somebody's, cannot."""
    if connection.state in LIVE:
        return connection.owner_id is None and not connection.is_disputed
    return connection.state in UNDECIDED


def _place(connection: Connection) -> tuple[int, int]:
    return connection.application_id, connection.location_id


def _own_beside(given: Sequence[Connection], claimant: Claimant) -> dict[tuple[int, int], Connection]:
    """Return, locked and by place, what the claimant holds at the places of `given`, or else claims there."""
    own = Q(state__in=UNDECIDED, claim=claimant.claim)
    if claimant.user is not None:
        own |= Q(state__in=LIVE, owner=claimant.user)
    applications, locations = zip(*map(_place, given), strict=True)
    there = Connection.objects.filter(own, application__in=set(applications), location__in=set(locations))
    others = there.exclude(pk__in=[each.pk for each in given])
    # Live connections sort last, so they win.
    found = sorted(lock_each(others), key=lambda each: each.state in LIVE)
    return {_place(each): each for each in found}


def _change_each(connections: Sequence[Connection], **columns: Any) -> None:
    """Write the same columns of many locked connections, in memory and in the database."""
    for connection in connections:
        for name, value in columns.items():
            setattr(connection, name, value)
    Connection.objects.filter(pk__in=[each.pk for each in connections]).update(**columns)


def stand_aside(pairs: Sequence[tuple[Connection, Connection]]) -> None:
    """End the first of each pair, an undecided claim whose claimant's other connection, the second, stands.

    All are locked. The arrivals lead to the standing connection from now on, which also takes over their time: the
    newest consent is judged by the newest arrival.
    """
    if not pairs:
        return
    end_claims([claim for claim, _to in pairs], "The same person's other connection stands.")
    standing: dict[int, Connection] = {}
    for claim, to in reversed(pairs):
        standing[claim.pk] = standing.get(to.pk, to)
    shown = ArrivalLocation.objects.filter(connection__in=list(standing))
    led = list(shown.values_list("connection", "arrival"))
    insert([ArrivalLocation(arrival_id=pk, connection=standing[old]) for old, pk in led], ignore_conflicts=True)
    shown.delete()
    for claim, _to in pairs:
        to = standing[claim.pk]
        to.last_arrived_at = max(to.last_arrived_at, claim.last_arrived_at)
    kept = list({to.pk: to for to in standing.values()}.values())
    Connection.objects.bulk_update(kept, ["last_arrived_at"], batch_size=500)
    _lengthen_windows([(claim, standing[claim.pk]) for claim, _to in pairs])
    # A live connection may have ended at Altegio without a callback, and been granted anew.
    ask_status_of_returned(to for to in kept if to.state in LIVE)


def _lengthen_windows(pairs: Iterable[tuple[Connection, Connection]]) -> None:
    """Let each standing claim wait for as long as the one that stood aside would have."""
    longer = [(claim, to) for claim, to in pairs if to.state in UNDECIDED and to.deadline_at < claim.deadline_at]
    for claim, to in longer:
        begin_window(to, max(claim.deadline_at, to.deadline_at))
    renew_deadlines([to for _claim, to in longer])


_waiting_for_signed = Query(
    lambda altegio_user_id, claim: Arrival.objects.filter(altegio_user_id=altegio_user_id, claim=claim).values_list(
        "pk"
    )
)


def give_signed(user: User, altegio_user_id: int) -> None:
    """Give `user` what this Altegio user claimed before the two were known to be the same person.

    Skips an arrival that is locked by a person acting on it at this moment; that transaction gives it to them.
    """
    provisional = f"a:{altegio_user_id}"
    waiting = _waiting_for_signed.all(altegio_user_id, provisional)
    if not waiting:
        return
    free = Arrival.objects.select_for_update(no_key=True, skip_locked=True)
    free = free.filter(pk__in=[pk for (pk,) in waiting], claim=provisional)
    arrivals = list(free.order_by("pk").values_list("pk", flat=True))
    claimant = Claimant.of(user, signed=True)
    shown = ArrivalLocation.objects.filter(arrival__in=arrivals).values("connection")
    there = Connection.objects.select_for_update(no_key=True).filter(pk__in=shown).order_by("pk")
    give_claims(there, {provisional}, claimant)
    Arrival.objects.filter(pk__in=arrivals).update(
        claim=claimant.claim, user=user, expected_user=None, expected_address_hash=""
    )
    typed = Connection.objects.live().filter(owner=user, is_proven=False)
    for led in ArrivalLocation.objects.filter(arrival__in=arrivals, connection__in=typed).select_related("arrival"):
        note_owner(led.arrival, [lock(led.connection_id)])
