"""Writes for what was decided at each location of an arrival: in bulk, in the caller's transaction."""

from dataclasses import dataclass
from datetime import datetime

from integrations.activation.binding import tell_of_disputes
from integrations.activation.call_kinds import Activate
from integrations.activation.waiting_call import ask_first, put_to_the_front, renew_deadlines, wake
from integrations.alerts.windows import clear_window_alerts
from integrations.connect.claimants import Claimant
from integrations.connect.decisions import ClaimDecision
from integrations.connect.location_facts import ClaimedLocation
from integrations.connections.models import (
    Application,
    Connection,
    EndedBy,
    Installation,
    Location,
    State,
)
from integrations.connections.transitions import move_each, record_begun
from integrations.outbox.models import CallState, OutgoingCall
from integrations.outbox.queue import queue_fresh
from integrations.status_sync.status_sync import ask_status_of_returned
from partner_portal.core.fast_insert import insert

CONFLICT_REASON = "Another person claims this location too."
TAKEN_REASON = "This location is connected by another person."
# The claims of a person take turns, this many at a time; all that wait count, of whatever arrival. Those of a small
# arrival are all in the first turn.
TURN = 20
# An unproven claimant gets fewer, and all waiting claims from the same address or network count.
UNPROVEN_TURN = 5

NEW: dict[ClaimDecision, tuple[State, str]] = {
    ClaimDecision.OPEN: (State.GRANTED, ""),
    ClaimDecision.OPEN_ASKING: (State.GRANTED, ""),
    ClaimDecision.OPEN_HELD: (State.CONFLICT, TAKEN_REASON),
    ClaimDecision.OPEN_DISPUTED: (State.CONFLICT, CONFLICT_REASON),
    ClaimDecision.OPEN_LATE: (State.EXPIRED, "The time for the activation was over before the sign-up."),
}


@dataclass(frozen=True)
class Claimed:
    """The result of the claim on one location."""

    connection: Connection
    is_new: bool


class ClaimPlan:
    """The collected decisions of an arrival, written at the end in a constant number of queries."""

    def __init__(
        self,
        application: Application,
        claimant: Claimant,
        arrived_at: datetime,
        deadline: datetime,
        now: datetime,
        ahead: int,
    ) -> None:
        """Start an empty plan. `ahead` is how many undecided claims of this person stand before this arrival's."""
        self.application = application
        self.claimant = claimant
        self.arrived_at = arrived_at
        self.deadline = deadline
        self.now = now
        self._ahead = ahead
        self.claimed: list[Claimed] = []
        self._new: dict[ClaimDecision, list[Connection]] = {claim: [] for claim in NEW}
        self._returned: list[Connection] = []
        self._reopened: list[Connection] = []
        self._asking_again: list[Connection] = []
        self._disputed: list[Connection] = []
        self._renewed: list[Connection] = []
        self._overtaken: list[Connection] = []
        self._proven: list[Connection] = []

    @property
    def opened(self) -> int:
        """The number of new undecided claims so far."""
        return sum(len(opened) for claim, opened in self._new.items() if claim is not ClaimDecision.OPEN_LATE)

    def note(self, claim: ClaimDecision, location: Location, place: ClaimedLocation) -> None:
        """Record the decision on one location."""
        if claim in NEW:
            self._open(claim, location)
        if self.claimant.is_proven and claim in (ClaimDecision.OPEN, ClaimDecision.OPEN_ASKING):
            self._overtaken += place.overtaken
        if claim in (ClaimDecision.DISPUTE, ClaimDecision.OPEN_DISPUTED):
            self._disputed += place.rivals
        if claim is ClaimDecision.RETURN and place.live is not None:
            self._returned.append(place.live)
            self.claimed.append(Claimed(place.live, is_new=False))
        elif place.mine is not None:
            self._note_mine(claim, place.mine)

    def _note_mine(self, claim: ClaimDecision, mine: Connection) -> None:
        self.claimed.append(Claimed(mine, is_new=False))
        if self.claimant.is_proven and not mine.is_proven:
            self._proven.append(mine)
        collected = {
            ClaimDecision.REOPEN: self._reopened,
            ClaimDecision.DISPUTE: self._disputed,
            ClaimDecision.ASK_AGAIN: self._asking_again,
        }
        if claim in collected:
            collected[claim].append(mine)
        is_over = mine.is_disputed or mine.deadline_at <= self.now
        if claim is ClaimDecision.DISPUTE and is_over and self._lasts_longer(mine):
            self._renewed.append(mine)

    def _lasts_longer(self, mine: Connection) -> bool:
        """Return whether this arrival's window ends later than the claim's: an arrival that is acted on late may be
        older.
        """
        return mine.deadline_at < self.deadline

    def _open(self, claim: ClaimDecision, location: Location) -> None:
        state, reason = NEW[claim]
        late = claim is ClaimDecision.OPEN_LATE
        connection = Connection(
            application=self.application,
            location=location,
            state=state,
            reason=reason,
            claim=self.claimant.claim,
            claimant=self.claimant.user,
            is_proven=self.claimant.is_proven,
            visitor=self.claimant.visitor,
            network=self.claimant.network,
            is_disputed=claim is ClaimDecision.OPEN_DISPUTED,
            arrived_at=self.arrived_at,
            last_arrived_at=self.arrived_at,
            deadline_at=self.deadline,
            ended_at=self.now if late else None,
            ended_by=EndedBy.WINDOW if late else "",
        )
        self._new[claim].append(connection)
        self.claimed.append(Claimed(connection, is_new=True))

    def finish(self) -> list[Claimed]:
        """Write the decisions, queue the calls, and return the claimed connections."""
        self._prove()
        self._store_new()
        self._dispute()
        self._go_on()
        self._note_return()
        return self.claimed

    def _prove(self) -> None:
        """Mark the unproven claims of a person who is proven now, and move their calls to the person's turns."""
        if not self._proven:
            return
        proven = Connection.objects.filter(pk__in=[each.pk for each in self._proven])
        proven.update(is_proven=True, visitor="", network="")
        for each in self._proven:
            each.is_proven = True
        # These claims are among those that were counted as ahead.
        first = max(self._ahead - len(self._proven), 0)
        put_to_the_front(self._proven, [self._turn(first + index) for index in range(len(self._proven))])

    def _store_new(self) -> None:
        new = [connection for opened in self._new.values() for connection in opened]
        if not new:
            return
        insert(new)
        record_begun(new, "The owner arrived from Altegio.")
        keys = [Installation.fresh(self.application, each.location) for each in new]
        insert(keys, ignore_conflicts=True)
        self._queue_calls()

    def _queue_calls(self) -> None:
        """Queue one activation call for each new claim: sent, asked about, or held back until the claim's end."""
        states = {
            ClaimDecision.OPEN: CallState.QUEUED,
            ClaimDecision.OPEN_ASKING: CallState.UNCONFIRMED,
            ClaimDecision.OPEN_HELD: CallState.UNCONFIRMED,
            ClaimDecision.OPEN_DISPUTED: CallState.UNCONFIRMED,
        }
        calls: list[OutgoingCall] = []
        for claim, state in states.items():
            for connection in self._new[claim]:
                held = CallState.HELD if self.application.hold_activations else state
                calls.append(Activate.new(connection, state=held, turn=self._turn(self._ahead + len(calls))))
        if calls:
            queue_fresh(calls)

    def _turn(self, ahead: int) -> int:
        """Return the turn of a claim that has so many of the same person ahead of it."""
        return ahead // (TURN if self.claimant.is_proven else UNPROVEN_TURN)

    def _dispute(self) -> None:
        """Put the disputed connections in conflict, and ask Altegio about each."""
        if self._overtaken:
            # The overtaken claims may be sent at any moment, but the proven claimant goes before them.
            ask_first(self._overtaken)
        if self._disputed:
            move_each(self._disputed, State.CONFLICT, CONFLICT_REASON, is_disputed=True)
            ask_first(self._disputed)
            # Held calls are woken too: the consent may be a newer one than when Altegio was asked.
            wake(self._disputed)
        if self._renewed:
            # Either the claim's window was over and nothing had ended it yet, or it was in dispute and this may be a
            # new consent. A new arrival gets a whole new window.
            clear_window_alerts(self._renewed)
            move_each(self._renewed, State.CONFLICT, CONFLICT_REASON, deadline_at=self.deadline, warned=0)
            renew_deadlines(self._renewed)
        if self.application.hold_activations:
            # Held activations ask nothing, so staff would not hear of the dispute from any answer.
            tell_of_disputes([*self._disputed, *self._new[ClaimDecision.OPEN_DISPUTED]])

    def _go_on(self) -> None:
        """Reopen claims that were blocked, renew their windows, and ask about them and about the connections returned
        to.
        """
        if self._reopened:
            renewed = [each for each in self._reopened if self._lasts_longer(each)]
            kept = [each for each in self._reopened if not self._lasts_longer(each)]
            clear_window_alerts(renewed)
            reopened, why = {"is_disputed": False, "ended_by": ""}, "The owner arrived again."
            move_each(renewed, State.GRANTED, why, **reopened, deadline_at=self.deadline, warned=0)
            move_each(kept, State.GRANTED, why, **reopened)
            wake(self._reopened)
        if self._asking_again:
            wake(self._asking_again)
        if self._returned:
            ask_status_of_returned(self._returned)

    def _note_return(self) -> None:
        """Record that the owner came again, also where the clock was set back since the last time.

        An unproven claim gains nothing from coming again while it waits.
        """
        again = [item.connection for item in self.claimed if not item.is_new]
        goes_on = [*self._returned, *self._reopened]
        pks = [each.pk for each in again if self.claimant.is_proven or each in goes_on]
        if not pks:
            return
        reused = Connection.objects.filter(pk__in=pks)
        if self.arrived_at < self.now:
            reused = reused.filter(last_arrived_at__lt=self.arrived_at)
        reused.update(last_arrived_at=self.arrived_at)
