"""An answer decides about its call as the table of docs/architecture.md says, row by row."""

from typing import Any

import pytest

from integrations.altegio.answers import Outcome
from integrations.outbox.call_kinds import AskAgain, CannotTell, Happened, Hold, NotToHappen, SendAgain
from integrations.outbox.decisions import NOT_CONCLUSIVE, AnswerFacts, Effect, Transition, decide, is_judged
from integrations.outbox.models import CallState

ACCEPTED, REFUSED, UNKNOWN = Outcome.ACCEPTED, Outcome.REFUSED, Outcome.UNKNOWN
UNAUTHORIZED, LIMITED, NOT_SENT = Outcome.UNAUTHORIZED, Outcome.LIMITED, Outcome.NOT_SENT
QUEUED, UNCONFIRMED, HELD = CallState.QUEUED, CallState.UNCONFIRMED, CallState.HELD
DONE = Transition(CallState.DONE, effect=Effect.ACCEPTED)
NO = Transition(CallState.REFUSED, "No.", Effect.REFUSED)
OTHERS = {"proves_token": False}
NEWEST = {"idempotent": True, "last_write_wins": True, "settling": 20.0}
NOT_THERE = {"idempotent": True, "is_not_there": True}


def later(state: CallState, reason: str = "No.", **fields: Any) -> Transition:
    return Transition(state, reason, backs_off=True, **{"asked": 0.0, **fields})


def everybody_waits(state: CallState, seconds: float) -> Transition:
    return later(state, effect=Effect.PAUSE_ALL, at_least=seconds, asked=None)


AFTER_SENDING: list[tuple[Outcome, dict[str, Any], Transition]] = [
    (ACCEPTED, {}, DONE),
    (ACCEPTED, {"is_conclusive": False}, later(UNCONFIRMED, NOT_CONCLUSIVE)),
    (ACCEPTED, {"is_conclusive": False, "idempotent": True}, DONE),
    (REFUSED, {}, NO),
    (REFUSED, {"needs_verification": True}, Transition(UNCONFIRMED, "No.", asked=0.0, remembers_refusal=True)),
    (
        REFUSED,
        {"needs_verification": True, "retry_after": 7.0},
        Transition(UNCONFIRMED, "No.", asked=7.0, remembers_refusal=True),
    ),
    (REFUSED, {"is_final": False}, later(QUEUED, at_least=300.0)),
    (REFUSED, {"is_final": False, "refusals": 2}, later(QUEUED, at_least=1200.0)),
    (REFUSED, {"is_final": False, "refusals": 50}, later(QUEUED, at_least=3600.0)),
    (UNKNOWN, {}, later(UNCONFIRMED)),
    (UNKNOWN, {"retry_after": 7.0}, later(UNCONFIRMED, asked=7.0)),
    (UNKNOWN, {"idempotent": True}, later(QUEUED)),
    (UNKNOWN, NEWEST, later(QUEUED, at_least=20.0)),
    (REFUSED, {**NOT_THERE, "has_other_host": True}, Transition(QUEUED, "No.", Effect.OTHER_HOST)),
    (UNKNOWN, {**NOT_THERE, "has_other_host": True}, Transition(QUEUED, "No.", Effect.OTHER_HOST)),
    (REFUSED, NOT_THERE, Transition(CallState.REFUSED, "As before.", Effect.REFUSED)),
    (UNKNOWN, NOT_THERE, Transition(CallState.REFUSED, "As before.", Effect.REFUSED)),
    (NOT_SENT, {}, later(QUEUED)),
    (NOT_SENT, NEWEST, later(QUEUED)),
    (UNAUTHORIZED, {}, Transition(QUEUED, "No.", Effect.STOP_TOKEN)),
    (UNAUTHORIZED, OTHERS, NO),
    (LIMITED, {}, everybody_waits(QUEUED, 1.0)),
    (LIMITED, {"retry_after": 30.0}, everybody_waits(QUEUED, 30.0)),
]
AFTER_A_QUESTION: list[tuple[Outcome, dict[str, Any], Transition]] = [
    (ACCEPTED, {"verdict": Happened()}, DONE),
    (ACCEPTED, {"verdict": SendAgain()}, Transition(QUEUED, "As before.")),
    (ACCEPTED, {"verdict": NotToHappen("Never.")}, Transition(CallState.REFUSED, "Never.", Effect.REFUSED)),
    (ACCEPTED, {"verdict": AskAgain(5, "Soon.")}, Transition(UNCONFIRMED, "Soon.", at_least=5)),
    (ACCEPTED, {"verdict": Hold("Staff.")}, Transition(HELD, "Staff.")),
    (UNKNOWN, {"verdict": CannotTell()}, later(UNCONFIRMED)),
    (UNKNOWN, {"verdict": CannotTell(), "retry_after": 7.0}, later(UNCONFIRMED, asked=7.0)),
    (NOT_SENT, {}, later(UNCONFIRMED)),
    (UNAUTHORIZED, {}, Transition(UNCONFIRMED, "No.", Effect.STOP_TOKEN)),
    (LIMITED, {"retry_after": 30.0}, everybody_waits(UNCONFIRMED, 30.0)),
]


@pytest.mark.parametrize(("outcome", "facts", "transition"), AFTER_SENDING)
def test_each_outcome_of_a_sent_call_has_its_transition(
    outcome: Outcome, facts: dict[str, Any], transition: Transition
) -> None:
    assert decide(AnswerFacts(outcome, "No.", "As before.", **facts)) == transition


@pytest.mark.parametrize(("outcome", "facts", "transition"), AFTER_A_QUESTION)
def test_each_outcome_of_a_question_has_its_transition(
    outcome: Outcome, facts: dict[str, Any], transition: Transition
) -> None:
    assert decide(AnswerFacts(outcome, "No.", "As before.", is_question=True, **facts)) == transition


@pytest.mark.parametrize("outcome", Outcome)
def test_a_kind_judges_answers_about_its_call(outcome: Outcome) -> None:
    assert is_judged(outcome, proves_token=True) == (outcome not in (UNAUTHORIZED, LIMITED, NOT_SENT))
    assert is_judged(outcome, proves_token=False) == (outcome not in (LIMITED, NOT_SENT))
