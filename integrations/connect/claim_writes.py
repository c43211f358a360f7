"""Writing down what was decided at each location of an arrival: in bulk, in the caller's transaction."""

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
# The locations of an arrival take turns, so many at a time: those of small arrivals are all in the first.
TURN = 20
# Fewer for who has proven nothing, and all claims that wait from the same address or network count.
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
    """What the claim on one location led to."""

    connection: Connection
    is_new: bool


class ClaimPlan:
    """Collects the decisions, and writes them at the end in a constant number of queries."""

    def __init__(
        self,
        application: Application,
        claimant: Claimant,
        arrived_at: datetime,
        deadline: datetime,
        now: datetime,
        turns_taken: int,
    ) -> None:
        """`turns_taken`: so many undecided claims of this visitor stand in front of those of this arrival."""
        self.application = application
        self.claimant = claimant
        self.arrived_at = arrived_at
        self.deadline = deadline
        self.now = now
        self._turns_taken = turns_taken
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
        """How many new undecided claims there are so far."""
        return sum(len(opened) for claim, opened in self._new.items() if claim is not ClaimDecision.OPEN_LATE)

    def note(self, claim: ClaimDecision, location: Location, place: ClaimedLocation) -> None:
        """Take down the decision on one location."""
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
        """Whether this arrival's window does: one that is acted on late may be older than what the claim rests on."""
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
        """Write what was decided, and queue the calls."""
        self._prove()
        self._store_new()
        self._dispute()
        self._go_on()
        self._note_return()
        return self.claimed

    def _prove(self) -> None:
        """Who had proven nothing has proven now who they are: their claims wait no longer than others'."""
        if not self._proven:
            return
        proven = Connection.objects.filter(pk__in=[each.pk for each in self._proven])
        proven.update(is_proven=True, visitor="", network="")
        for each in self._proven:
            each.is_proven = True
        put_to_the_front(self._proven)

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
        """One activation call for each new claim: it is sent, asked about, or held back until the claim's end."""
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
                calls.append(Activate.new(connection, state=held, turn=self._turn(len(calls))))
        if calls:
            queue_fresh(calls)

    def _turn(self, index: int) -> int:
        if self.claimant.is_proven:
            return index // TURN
        return (self._turns_taken + index) // UNPROVEN_TURN

    def _dispute(self) -> None:
        """Put the disputed connections in conflict, and ask Altegio about each."""
        if self._overtaken:
            # They may be sent any moment; whoever has proven who they are goes before them.
            ask_first(self._overtaken)
        if self._disputed:
            move_each(self._disputed, State.CONFLICT, CONFLICT_REASON, is_disputed=True)
            ask_first(self._disputed)
            # What was held: the consent may be another one than when Altegio was asked.
            wake(self._disputed)
        if self._renewed:
            # Its window was over, and nothing has ended it yet; or it was held, and this may be a new consent: who
            # has just arrived has the whole new one.
            clear_window_alerts(self._renewed)
            move_each(self._renewed, State.CONFLICT, CONFLICT_REASON, deadline_at=self.deadline, warned=0)
            renew_deadlines(self._renewed)
        if self.application.hold_activations:
            # Nothing asks, so nobody else would tell them.
            tell_of_disputes([*self._disputed, *self._new[ClaimDecision.OPEN_DISPUTED]])

    def _go_on(self) -> None:
        """Reopen claims that were blocked, give them a new window, and ask Altegio about them."""
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
        """The owner came again. Who comes now came last, also where the clock was set back since they came before.

        A claim that proves nothing gains nothing by coming again while it waits.
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
