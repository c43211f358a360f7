"""The decision about a claim on one location, made from facts alone; nothing is read or written here.

The order of the questions is the rule (docs/architecture.md, "Whose is it"): does the claimant have it already; is
there time; is there room; does somebody hold it; does another proven person claim it; have they been refused here.
"""

import enum
from dataclasses import dataclass

from integrations.connections.models import State


class Holder(enum.Enum):
    """The holder of the location: the person whose connection Altegio has accepted."""

    NOBODY = enum.auto()
    CLAIMANT = enum.auto()
    ANOTHER = enum.auto()


@dataclass(frozen=True)
class Standing:
    """An undecided claim on the location. `is_open` says that its window is open."""

    state: State
    is_proven: bool
    is_disputed: bool
    is_open: bool
    is_persistent: bool = False  # its claimant was refused there repeatedly (claim_order.persistent_claims)

    @property
    def waits_behind_a_holder(self) -> bool:
        """Whether it was made while somebody held the location: it is nobody's rival, even once they have left."""
        return self.state == State.CONFLICT and not self.is_disputed

    @property
    def is_rival(self) -> bool:
        """Whether it can dispute the location: it is proven and in time, and nobody held the location when it was
        made.
        """
        return self.is_proven and self.is_open and (self.state == State.GRANTED or self.is_disputed)


@dataclass(frozen=True)
class ClaimFacts:
    """All the facts that a decision rests on."""

    is_proven: bool  # Altegio signed who they are, or they signed in to an account whose address is proven
    in_time: bool  # the window of this arrival is open
    has_room: bool  # an unproven claimant may have one more undecided claim here
    was_refused: bool  # this claimant, at this location, recently
    holder: Holder
    mine: Standing | None = None
    others: tuple[Standing, ...] = ()
    is_persistent: bool = False  # this claimant was refused there repeatedly, as in `Standing`
    holder_is_back: bool = False  # its last holder has come again: the grant may be theirs
    staff_release: bool = False  # nothing of this application is sent until staff release it

    @property
    def is_rivalled(self) -> bool:
        """Whether two proven people claim the location; an unproven claim opens no conflict.

        Nor does the claim of somebody who was refused there repeatedly: they could come again without end.
        """
        return self.is_proven and any(
            other.is_rival and other.is_persistent == self.is_persistent for other in self.others
        )

    @property
    def somebody_waits(self) -> bool:
        """Whether a proven person waits behind a holder: they may have come first since the holder left."""
        return any(other.is_proven and other.is_open and other.waits_behind_a_holder for other in self.others)


class ClaimDecision(enum.Enum):
    """The possible results of a claim on one location."""

    KEEP = "keep"  # it waits already, and goes on as it does
    RETURN = "return"  # the claimant holds it: Altegio is asked whether they still do
    REOPEN = "reopen"  # what blocked it is gone, or its window was over: it goes on, and asks first
    DISPUTE = "dispute"  # it waits already, and so does a proven rival's: both are in conflict, and ask
    ASK_AGAIN = "ask again"  # somebody held the location: Altegio is asked whether they still do
    OPEN = "open"  # new, and sent at once
    OPEN_ASKING = "open, asking"  # new, and asked about before it is sent
    OPEN_HELD = "open, held"  # new, at a location that somebody holds: in conflict, nobody's rival
    OPEN_DISPUTED = "open, disputed"  # new, and it and its proven rivals are in conflict, and ask
    OPEN_LATE = "open, late"  # new, and its window is over: expired at once
    DEFER = "defer"  # no room: it waits until they have proven who they are


def decide(facts: ClaimFacts) -> ClaimDecision:
    """Return the decision on one location."""
    if facts.mine is not None:
        return _decide_mine(facts, facts.mine)
    if facts.holder is Holder.CLAIMANT:
        return ClaimDecision.RETURN
    if not facts.in_time:
        return ClaimDecision.OPEN_LATE
    if not facts.is_proven and not facts.has_room:
        return ClaimDecision.DEFER
    if facts.holder is Holder.ANOTHER:
        return ClaimDecision.OPEN_HELD
    if facts.is_rivalled:
        return ClaimDecision.OPEN_DISPUTED
    may_be_another = facts.was_refused or facts.somebody_waits or facts.holder_is_back
    return ClaimDecision.OPEN if facts.is_proven and not may_be_another else ClaimDecision.OPEN_ASKING


def _decide_mine(facts: ClaimFacts, mine: Standing) -> ClaimDecision:
    """Return the decision for a claimant whose claim waits here already.

    A claim does not start anew within its window, and nothing is sent twice.
    """
    if not facts.in_time:
        return ClaimDecision.KEEP
    if mine.state == State.GRANTED:
        if facts.is_rivalled:
            return ClaimDecision.DISPUTE
        return ClaimDecision.KEEP if mine.is_open else ClaimDecision.REOPEN
    if facts.holder is Holder.ANOTHER:
        return ClaimDecision.ASK_AGAIN if facts.is_proven and not mine.is_disputed else ClaimDecision.KEEP
    if facts.is_proven and mine.is_open and mine.waits_behind_a_holder and not facts.staff_release:
        return ClaimDecision.ASK_AGAIN
    if facts.is_rivalled:
        return ClaimDecision.DISPUTE
    return ClaimDecision.REOPEN
