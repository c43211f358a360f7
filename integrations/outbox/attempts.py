"""The record of an attempt, completed with what Altegio answered, without secrets."""

import structlog
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from integrations.altegio.answers import Answer, Outcome
from integrations.altegio.requests import ApiRequest
from integrations.outbox.models import Attempt, OutgoingCall
from partner_portal.core.masking import mask

log = structlog.get_logger(__name__)

MAX_TEXT = 20_000
NOT_KEPT = "(not kept: it tells of people, or holds what is others' secret)"


def note_answer(attempt: Attempt, answer: Answer, request: ApiRequest) -> None:
    """Complete the attempt. A text that cannot be stored must not turn the call into one without an answer."""
    try:
        with transaction.atomic():
            _complete_attempt(attempt, answer, request)
    except Exception:
        log.exception("answer_not_stored")
        Attempt.objects.filter(pk=attempt.pk).update(
            finished_at=timezone.now(),
            status_code=answer.status_code,
            outcome=answer.outcome,
            message="The text of this answer could not be stored; see the log.",
        )


def _complete_attempt(attempt: Attempt, answer: Answer, request: ApiRequest) -> None:
    attempt.finished_at = timezone.now()
    attempt.status_code = answer.status_code
    attempt.outcome = answer.outcome
    attempt.message = mask(answer.message, request.secrets)[:500]
    attempt.response_body = NOT_KEPT if request.hides_answer else mask(answer.text, request.secrets)[:MAX_TEXT]
    attempt.save(update_fields=["finished_at", "status_code", "outcome", "message", "response_body"])


def sent_attempts(call: OutgoingCall) -> QuerySet[Attempt]:
    """Return the attempts to send the call that left, oldest first; one without a connection sent nothing."""
    return call.attempts.filter(purpose=Attempt.Purpose.SEND).exclude(outcome=Outcome.NOT_SENT).order_by("number")


def yes_on_record(call: OutgoingCall) -> Answer | None:
    """Return Altegio's recorded acceptance of an earlier sending of this call, without its content, or None."""
    sent = sent_attempts(call).filter(outcome=Outcome.ACCEPTED).last()
    return Answer(Outcome.ACCEPTED, sent.status_code) if sent else None
