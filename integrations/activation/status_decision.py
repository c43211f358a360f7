"""The verdict on a claim by Altegio's status, from facts alone (docs/altegio.md §1)."""

from dataclasses import dataclass

from integrations.altegio.answers import AltegioState
from integrations.connections.models import UNDECIDED, State
from integrations.outbox.call_kinds import AskAgain, Happened, Hold, NotToHappen, SendAgain, Verdict

NO_OPEN_GRANT = "No open grant"
TAKEN = "This location was connected before, by another person or outside the portal."
OTHERS_FIRST = "Somebody who goes first claims this location."
DISPUTED = "Two people claim this location."


@dataclass(frozen=True)
class StatusFacts:
    """All the facts that the verdict rests on."""

    remote: AltegioState
    state: State  # of the connection here
    is_disputed: bool  # the grant may be another proven person's as well
    is_theirs: bool  # the active connection or the open grant is the claimant's
    was_refused: bool  # this call, by Altegio
    decided: bool  # staff have decided for this claim
    others_alive: bool  # another connection at the location is believed alive
    others_first: bool  # an undecided claim goes before this one
    must_settle: bool  # it is unproven, disputed, waited behind a holder, or was recently refused here
    has_settled: bool  # Altegio was asked before about this grant, and time has passed since
    settling: float  # seconds
    is_held: bool  # it waits until staff release it


def judge(facts: StatusFacts) -> Verdict:
    """Return what becomes of the claim. While its window is open, it is never left without a waiting call."""
    if facts.state not in UNDECIDED:
        return NotToHappen("The claim has ended.")
    match facts.remote:
        case AltegioState.ACTIVE | AltegioState.FROZEN:
            return _judge_active(facts)
        case AltegioState.PENDING if facts.is_theirs and not facts.was_refused:
            return _judge_grant(facts)
    return NotToHappen(NO_OPEN_GRANT)


def _judge_active(facts: StatusFacts) -> Verdict:
    if facts.decided and not facts.others_alive:
        return Happened()
    if not facts.is_theirs:
        return Hold(TAKEN)
    return _settled(facts, Happened())


def _judge_grant(facts: StatusFacts) -> Verdict:
    if facts.is_disputed and facts.state == State.CONFLICT:
        return Hold(DISPUTED)
    if facts.is_held and facts.state == State.CONFLICT:
        return Hold("The activation is held back until staff release it.")
    return _settled(facts, SendAgain())


def _settled(facts: StatusFacts, verdict: Verdict) -> Verdict:
    """Return the verdict, unless claims that go first, or owners who may yet arrive, need time."""
    if facts.others_first:
        return Hold(OTHERS_FIRST) if facts.state == State.CONFLICT else AskAgain(facts.settling, OTHERS_FIRST)
    if facts.must_settle and not facts.has_settled:
        return AskAgain(facts.settling, "The grant is open; whoever gave it may arrive yet.")
    return verdict
