"""The facts that decide what follows from an answer (`decisions.py`), read from the answer, its call and the call's
kind.
"""

from django.conf import settings

from integrations.altegio.answers import Answer, Outcome
from integrations.outbox.call_kinds import CallKind
from integrations.outbox.decisions import AnswerFacts, is_judged
from integrations.outbox.hosts import NOT_THERE
from integrations.outbox.models import OutgoingCall
from integrations.outbox.settling import verdict_of
from partner_portal.core.masking import mask


def believed_answer(call: OutgoingCall, kind: CallKind, answer: Answer, *, asking: bool) -> Answer:
    """Return the answer, with its outcome unknown if a gateway may have written it and too much would follow from it.

    A call that may not be repeated would end by it, or every call stop by its 401.
    """
    ends_call = not asking and not kind.idempotent and answer.outcome in (Outcome.ACCEPTED, Outcome.REFUSED)
    stops_all = answer.outcome is Outcome.UNAUTHORIZED and kind.proves_token(call)
    return answer.as_unknown() if (ends_call or stops_all) and not answer.is_certain else answer


def facts_of(call: OutgoingCall, kind: CallKind, answer: Answer, *, asking: bool) -> AnswerFacts:
    """Return the facts for `decide`, of a locked call. `asking`: the answer is to the question about it, not to the
    call.
    """
    proves_token = answer.outcome is not Outcome.UNAUTHORIZED or kind.proves_token(call)
    judged = asking and is_judged(answer.outcome, proves_token=proves_token)
    accepted, refused = answer.outcome is Outcome.ACCEPTED, answer.outcome is Outcome.REFUSED
    is_final = not refused or kind.is_final(answer)
    return AnswerFacts(
        outcome=answer.outcome,
        message=mask(answer.message),
        reason=call.reason,
        retry_after=answer.retry_after,
        idempotent=kind.idempotent,
        is_conclusive=asking or kind.idempotent or not accepted or kind.is_conclusive(answer),
        needs_verification=not asking and refused and kind.needs_verification(answer),
        refusals=0 if is_final else _earlier_refusals(call),
        is_final=is_final,
        proves_token=proves_token,
        last_write_wins=kind.last_write_wins,
        settling=settings.ALTEGIO_SETTLING_SECONDS,
        is_not_there=not asking and kind.on_either_host and answer.status_code in NOT_THERE,
        has_other_host=not call.host,
        is_question=asking,
        verdict=verdict_of(call, kind, answer) if judged else None,
    )


def _earlier_refusals(call: OutgoingCall) -> int:
    """Return how often Altegio had refused this call before its newest attempt, whose answer is stored already."""
    return max(0, call.attempts.filter(outcome=Outcome.REFUSED).count() - 1)
