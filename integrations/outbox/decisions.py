"""The decision about what an answer means for its call, made from facts alone, without a database or a clock.

`executor.py` gathers the facts and applies the transition; the table in docs/architecture.md has the same rows.
"""

import enum
from dataclasses import dataclass

from integrations.altegio.answers import Outcome
from integrations.outbox.call_kinds import AskAgain, CannotTell, Happened, Hold, NotToHappen, SendAgain, Verdict
from integrations.outbox.models import CallState

FIRST_DELAY = 1.0
# Seconds. Altegio will not accept a moment later what it has just refused. What it refuses repeatedly waits ever
# longer, because thousands of calls may be refused for one reason and would take the turns of the others.
REFUSED_RESTS, MAX_REFUSED_REST = 300.0, 3600.0
NOT_CONCLUSIVE = "Altegio said yes, but not all that must be known."


class Effect(enum.Enum):
    """The effect of an answer beside the call's own row."""

    NONE = enum.auto()
    ACCEPTED = enum.auto()  # the call ends, and its kind applies what follows
    REFUSED = enum.auto()  # the same, for a refusal
    STOP_TOKEN = enum.auto()  # no call with this token goes out
    OTHER_HOST = enum.auto()  # this host does not have the call: it goes to the other one
    PAUSE_ALL = enum.auto()  # no call at all goes out for `at_least` seconds


@dataclass(frozen=True)
class AnswerFacts:
    """All the facts that the decision rests on. The kind is asked about the answer only where it counts."""

    outcome: Outcome
    message: str = ""  # Altegio's, masked
    reason: str = ""  # of the call, as it stands
    retry_after: float | None = None
    idempotent: bool = False
    is_conclusive: bool = True
    needs_verification: bool = False
    refusals: int = 0  # how often this call was refused before
    is_final: bool = True  # of a refusal: it ends the call
    proves_token: bool = True  # a 401 is about the partner token, and about nothing else
    last_write_wins: bool = False
    settling: float = 0.0  # seconds in which Altegio may still process a request without a certain answer
    is_not_there: bool = False  # one of two hosts says that it has no such call
    has_other_host: bool = False  # and the other one has not been tried
    is_question: bool = False
    verdict: Verdict | None = None  # of the kind, on the answer to a question that `is_judged`


@dataclass(frozen=True)
class Transition:
    """The call's next state. `asked`: the seconds that Altegio asks us to wait, cut to what is left before the
    deadline.
    """

    state: CallState
    reason: str = ""
    effect: Effect = Effect.NONE
    backs_off: bool = False
    at_least: float = 0.0
    asked: float | None = None
    remembers_refusal: bool = False


def is_judged(outcome: Outcome, *, proves_token: bool) -> bool:
    """Return whether the answer to a question is about the call, not about the token, the limit or our connection.

    The kind judges a 401 that may be about something else than the token.
    """
    stopped = outcome is Outcome.UNAUTHORIZED and proves_token
    return not stopped and outcome not in (Outcome.LIMITED, Outcome.NOT_SENT)


def decide(facts: AnswerFacts) -> Transition:
    """Return the transition that follows from the answer to a call, or to the question about it."""
    return _after_question(facts) if facts.is_question else _after_sending(facts)


def _after_sending(facts: AnswerFacts) -> Transition:
    if facts.is_not_there:
        return _not_there(facts)
    match facts.outcome:
        case Outcome.ACCEPTED if not facts.idempotent and not facts.is_conclusive:
            return _back_off(facts, CallState.UNCONFIRMED, NOT_CONCLUSIVE)
        case Outcome.ACCEPTED:
            return Transition(CallState.DONE, effect=Effect.ACCEPTED)
        case Outcome.UNAUTHORIZED if not facts.proves_token:
            return Transition(CallState.REFUSED, facts.message, Effect.REFUSED)
        case Outcome.REFUSED if facts.needs_verification:
            asked = facts.retry_after or 0.0
            return Transition(CallState.UNCONFIRMED, facts.message, asked=asked, remembers_refusal=True)
        case Outcome.REFUSED if not facts.is_final:
            rest = min(REFUSED_RESTS * 2 ** min(facts.refusals, 10), MAX_REFUSED_REST)
            return _back_off(facts, CallState.QUEUED, facts.message, at_least=rest)
        case Outcome.REFUSED:
            return Transition(CallState.REFUSED, facts.message, Effect.REFUSED)
        case Outcome.UNKNOWN:
            return _unknown(facts)
    return _not_now(facts, CallState.QUEUED)


def _unknown(facts: AnswerFacts) -> Transition:
    """Return a transition that asks, or that sends the call again if that is harmless."""
    if not facts.idempotent:
        return _back_off(facts, CallState.UNCONFIRMED, facts.message)
    # A status code does not prove an end: a gateway answers 504 while the server behind it still works.
    at_least = facts.settling if facts.last_write_wins else 0.0
    return _back_off(facts, CallState.QUEUED, facts.message, at_least=at_least)


def _not_there(facts: AnswerFacts) -> Transition:
    """Return a transition to the other host, once; if neither host has the call, refuse it.

    The first host's message is kept as the reason: that host worked before, so it says more.
    """
    if facts.has_other_host:
        return Transition(CallState.QUEUED, facts.message, Effect.OTHER_HOST)
    return Transition(CallState.REFUSED, facts.reason or facts.message, Effect.REFUSED)


def _after_question(facts: AnswerFacts) -> Transition:
    match facts.verdict:
        case None:
            return _not_now(facts, CallState.UNCONFIRMED)
        case Happened():
            return Transition(CallState.DONE, effect=Effect.ACCEPTED)
        case SendAgain():
            return Transition(CallState.QUEUED, facts.reason)
        case NotToHappen(reason):
            return Transition(CallState.REFUSED, reason, Effect.REFUSED)
        case AskAgain(seconds, reason):
            return Transition(CallState.UNCONFIRMED, reason, at_least=seconds)
        case Hold(reason):
            return Transition(CallState.HELD, reason)
        case CannotTell():
            return _back_off(facts, CallState.UNCONFIRMED, facts.message)


def _back_off(facts: AnswerFacts, state: CallState, reason: str, *, at_least: float = 0.0) -> Transition:
    return Transition(state, reason, backs_off=True, at_least=at_least, asked=facts.retry_after or 0.0)


def _not_now(facts: AnswerFacts, state: CallState) -> Transition:
    """Return a transition that waits: a 401 stops every call of the token; a 429 pauses all calls for as long as it
    says.
    """
    if facts.outcome is Outcome.NOT_SENT:
        return _back_off(facts, state, facts.message)
    if facts.outcome is Outcome.UNAUTHORIZED:
        return Transition(state, facts.message, Effect.STOP_TOKEN)
    pause = FIRST_DELAY if facts.retry_after is None else facts.retry_after
    return Transition(state, facts.message, Effect.PAUSE_ALL, backs_off=True, at_least=pause)
