"""Whose location is it: what an arrival leads to at each of its locations (ALTEGIO.md §1).

A claim proves nothing yet; Altegio's acceptance of the activation does. So a claim makes a connection
that waits for it, or takes up the one the same person has, or shows that two people want the same.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from integrations.activation.kinds import Activate
from integrations.alarms.models import Alarm
from integrations.alarms.raising import raise_alarms
from integrations.connect.models import Arrival, ArrivalLocation
from integrations.connections import move
from integrations.lifecycle.asking import ask_status
from integrations.models.application import Application
from integrations.models.connection import (
    LIVE,
    UNDECIDED,
    Connection,
    ConnectionChange,
    ConnectionKeys,
    State,
)
from integrations.models.place import Location
from integrations.outbox.models import CallState, OutgoingCall
from integrations.outbox.queue import cancel, queue_fresh

CONFLICT_REASON = "Another person claims this location too."
TAKEN_REASON = "This location is connected by another person."


@dataclass(frozen=True)
class Claimant:
    """Who claims: `claim` names the person; `user` is their account once it is known for sure."""

    claim: str
    user: User | None

    @classmethod
    def of(cls, user: User) -> "Claimant":
        return cls(f"u:{user.pk}", user)


@dataclass(frozen=True)
class Claimed:
    """What the claim on one location led to."""

    connection: Connection
    is_new: bool


def activation_deadline(arrived_at: datetime) -> datetime:
    """The end of the window that an arrival starts."""
    return arrived_at + timedelta(seconds=settings.ALTEGIO_ACTIVATION_WINDOW)


def claim_locations(
    application: Application,
    salon_ids: Sequence[int],
    claimant: Claimant,
    *,
    arrived_at: datetime,
    now: datetime,
) -> list[Claimed]:
    """Claim every location for `claimant`, in the caller's transaction, and queue what follows.

    A constant number of queries however many locations there are; rivals cost some each. Arrivals for
    the same location wait for each other.
    """
    _lock_connections(application, salon_ids)
    locations = _locked_locations(salon_ids)
    current = _current_connections(application, locations)
    if claimant.user is not None:
        _give_what_waits(current, claimant.user)
    desk = _Desk(application, claimant, arrived_at, now)
    for salon_id in salon_ids:
        location = locations[salon_id]
        desk.decide(location, current[location.pk])
    return desk.finish()


def _lock_connections(application: Application, salon_ids: Sequence[int]) -> None:
    """Connections are locked before locations, as where Altegio's answers are written down: no deadlock."""
    there = Connection.objects.select_for_update(of=("self",), no_key=True).filter(
        application=application, location__altegio_id__in=salon_ids, state__in=(*UNDECIDED, *LIVE)
    )
    list(there.order_by("pk").values_list("pk", flat=True))


def _locked_locations(salon_ids: Sequence[int]) -> dict[int, Location]:
    # In the order of their ids, so that two arrivals never wait for each other crosswise.
    ordered = sorted(salon_ids)
    Location.objects.bulk_create(
        [Location(altegio_id=salon_id) for salon_id in ordered], ignore_conflicts=True, batch_size=1000
    )
    found = Location.objects.select_for_update(no_key=True).filter(altegio_id__in=ordered).order_by("altegio_id")
    return {location.altegio_id: location for location in found}


def _current_connections(application: Application, locations: dict[int, Location]) -> dict[int, list[Connection]]:
    found: dict[int, list[Connection]] = defaultdict(list)
    connections = Connection.objects.filter(
        application=application,
        location__in=[place.pk for place in locations.values()],
        state__in=(*UNDECIDED, *LIVE),
    )
    by_key = {place.pk: place for place in locations.values()}
    for connection in connections:
        # Both are at hand: joining them costs a tenth of an arrival's time.
        connection.application, connection.location = application, by_key[connection.location_id]
        found[connection.location_id].append(connection)
    return found


def _give_what_waits(current: dict[int, list[Connection]], user: User) -> None:
    """What was claimed by an arrival that expects this person is theirs: they are no rivals of themselves."""
    others = [each for there in current.values() for each in there if each.claim != Claimant.of(user).claim]
    claims = {each.claim for each in others}
    waiting = set(Arrival.objects.filter(expected_user=user, claim__in=claims).values_list("claim", flat=True))
    for connection in others:
        if connection.claim in waiting:
            give_claim([connection], connection.claim, user)


class _Desk:
    """Decides location by location, and writes the decisions in bulk at the end."""

    def __init__(self, application: Application, claimant: Claimant, arrived_at: datetime, now: datetime) -> None:
        self.application = application
        self.claimant = claimant
        self.arrived_at = arrived_at
        self.now = now
        self.deadline = activation_deadline(arrived_at)
        self.claimed: list[Claimed] = []
        self.new: list[Connection] = []
        self.ask_first: set[int] = set()
        self.asked: list[Connection] = []

    def decide(self, location: Location, current: Iterable[Connection]) -> None:
        """What the claim leads to at one location."""
        undecided = [connection for connection in current if connection.state in UNDECIDED]
        mine = next((connection for connection in undecided if connection.claim == self.claimant.claim), None)
        rivals = [connection for connection in undecided if connection is not mine]
        live = next((connection for connection in current if connection.state in LIVE), None)
        if mine is not None:
            self._take_up(mine, rivals)
        elif live is not None and self._holds(live):
            self.asked.append(live)
            self.claimed.append(Claimed(live, is_new=False))
        elif rivals:
            self._dispute(rivals)
            self._open(location, State.CONFLICT, CONFLICT_REASON)
        elif self.now >= self.deadline:
            self._open(location, State.EXPIRED, "The time for the activation was over before the sign-up.")
        else:
            if live is not None:
                self.ask_first.add(location.pk)
            self._open(location, State.GRANTED, "")

    def finish(self) -> list[Claimed]:
        """Write what was decided, and queue the calls."""
        Connection.objects.bulk_create(self.new, batch_size=500)
        ConnectionChange.objects.bulk_create(
            [
                ConnectionChange(
                    connection=connection, to_state=connection.state, why="The owner arrived from Altegio."
                )
                for connection in self.new
            ],
            batch_size=500,
        )
        ConnectionKeys.objects.bulk_create(
            [ConnectionKeys.fresh(self.application, connection.location) for connection in self.new],
            ignore_conflicts=True,
            batch_size=500,
        )
        queue_fresh(self._activation(connection) for connection in self.new if connection.state == State.GRANTED)
        for connection in self.asked:
            ask_status(connection)
        raise_alarms(
            (
                Alarm.Kind.CONFLICT,
                f"conflict:{connection.pk}",
                f"{connection}: {connection.reason}",
                connection,
            )
            for connection in self.new
            if connection.state == State.CONFLICT
        )
        self._note_return([claimed.connection.pk for claimed in self.claimed if not claimed.is_new])
        return self.claimed

    def _note_return(self, pks: list[int]) -> None:
        """The owner came again. Who comes now came last, also where the clock was set back since they came before."""
        if not pks:
            return
        reused = Connection.objects.filter(pk__in=pks)
        if self.arrived_at < self.now:
            reused = reused.filter(last_arrived_at__lt=self.arrived_at)
        reused.update(last_arrived_at=self.arrived_at)

    def _holds(self, live: Connection) -> bool:
        if live.owner_id is None:
            return live.claim == self.claimant.claim
        return self.claimant.user is not None and live.owner_id == self.claimant.user.pk

    def _take_up(self, mine: Connection, rivals: list[Connection]) -> None:
        """The same person again: the window does not start anew, and nothing is activated twice."""
        self.claimed.append(Claimed(mine, is_new=False))
        if mine.state == State.CONFLICT and not rivals:
            move(mine, State.GRANTED, "The owner arrived again.", deadline_at=self.deadline)
            queue_fresh([Activate.new(mine, ask_first=True)])

    def _dispute(self, rivals: list[Connection]) -> None:
        """While one person's claim is undecided, another's makes both a conflict."""
        for rival in rivals:
            if rival.state == State.GRANTED:
                cancel(OutgoingCall.objects.filter(connection=rival, kind=Activate.name), CONFLICT_REASON)
                move(rival, State.CONFLICT, CONFLICT_REASON)
                raise_alarms([(Alarm.Kind.CONFLICT, f"conflict:{rival.pk}", f"{rival}: {CONFLICT_REASON}", rival)])

    def _open(self, location: Location, state: State, reason: str) -> None:
        connection = Connection(
            application=self.application,
            location=location,
            state=state,
            reason=reason,
            claim=self.claimant.claim,
            claimant=self.claimant.user,
            arrived_at=self.arrived_at,
            last_arrived_at=self.arrived_at,
            deadline_at=self.deadline,
        )
        self.new.append(connection)
        self.claimed.append(Claimed(connection, is_new=True))

    def _activation(self, connection: Connection) -> OutgoingCall:
        call = Activate.new(connection, ask_first=connection.location_id in self.ask_first)
        if self.application.hold_activations:
            call.state = CallState.HELD
        return call


def go_on_as_new(ended: Connection) -> None:
    """Altegio waits for an activation where the owner came back: their arrival is a new connection's.

    `ended` is the locked connection, at whose end the portal may not have looked yet when they came. Nothing
    happens when its owner has not arrived within the window: then the grant is not known to be theirs. An
    arrival goes on once.
    """
    now = timezone.now()
    if ended.last_arrived_at == ended.arrived_at or now >= activation_deadline(ended.last_arrived_at):
        return
    same_place = Connection.objects.filter(application=ended.application_id, location=ended.location_id)
    if same_place.filter(pk__gt=ended.pk, arrived_at=ended.last_arrived_at).exists():
        return
    claimant = Claimant(ended.claim, ended.claimant) if ended.owner is None else Claimant.of(ended.owner)
    salon_ids, arrived_at = [ended.location.altegio_id], ended.last_arrived_at
    claimed = claim_locations(ended.application, salon_ids, claimant, arrived_at=arrived_at, now=now)
    shown = ArrivalLocation.objects.filter(connection=ended, arrival__last_seen_at__gte=arrived_at)
    shown.update(connection=claimed[0].connection)


def give_claim(connections: Iterable[Connection], old_claim: str, user: User) -> None:
    """The person behind a provisional claim has signed in: what was claimed so far is theirs.

    Locked by the caller's transaction. A live connection that waited for them becomes theirs; where they
    have a claim of their own already, that one stands.
    """
    claimant = Claimant.of(user)
    for connection in connections:
        if connection.claim != old_claim:
            continue
        own = Connection.objects.filter(
            Q(state__in=UNDECIDED),
            application=connection.application_id,
            location=connection.location_id,
            claim=claimant.claim,
        ).exclude(pk=connection.pk)
        if connection.state in UNDECIDED and own.exists():
            continue
        connection.claim, connection.claimant = claimant.claim, user
        if connection.state in LIVE and connection.owner_id is None:
            connection.owner = user
        connection.save(update_fields=["claim", "claimant", "owner"])
