"""The rule that "not there" is believed only once Altegio is surely done with what was sent."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Max, QuerySet
from django.db.models.functions import Coalesce

from integrations.altegio.answers import Answer, Outcome
from integrations.outbox.call_kinds import CallKind, CannotTell, Happened, Verdict
from integrations.outbox.models import Attempt, OutgoingCall

# Outcomes after which Altegio does nothing more.
NOT_DONE = (Outcome.REFUSED, Outcome.UNAUTHORIZED, Outcome.LIMITED, Outcome.NOT_SENT)


def verdict_of(call: OutgoingCall, kind: CallKind, answer: Answer) -> Verdict:
    """Return the kind's verdict on the answer; only "it happened" counts while Altegio may still be processing."""
    if kind.idempotent or kind.settles_at_once or not _was_asked_early(call, kind):
        return kind.judge(call, answer)
    with transaction.atomic():
        verdict = kind.judge(call, answer)
        if not isinstance(verdict, Happened):
            transaction.set_rollback(True)
            verdict = CannotTell()
    return verdict


def _was_asked_early(call: OutgoingCall, kind: CallKind) -> bool:
    """Return whether the question went out before Altegio was surely done with all that was sent."""
    settled = settled_at(kind.rounds(call))
    return settled is not None and call.attempts.latest("number").started_at < settled


def settled_at(calls: QuerySet[OutgoingCall]) -> datetime | None:
    """Return when Altegio is surely done with all that these calls sent; None if it has refused all that was sent.

    A status code does not prove an end: a gateway answers 504 while the server behind it still works.
    """
    last: datetime | None = may_be_done(calls).aggregate(last=Max(Coalesce("finished_at", "started_at")))["last"]
    return last and last + timedelta(seconds=settings.ALTEGIO_SETTLING_SECONDS)


def may_have_happened(calls: QuerySet[OutgoingCall]) -> bool:
    """Return whether one of these calls was sent and not refused: a later refusal does not prove that nothing was
    done.
    """
    return may_be_done(calls).exists()


def was_accepted(calls: QuerySet[OutgoingCall]) -> bool:
    """Return whether Altegio said yes to one of these calls, whatever it shows now."""
    return may_be_done(calls).filter(outcome=Outcome.ACCEPTED).exists()


def may_be_done(calls: QuerySet[OutgoingCall]) -> QuerySet[Attempt]:
    """Return the attempts of these calls that were sent, and that Altegio has not refused."""
    return Attempt.objects.filter(call__in=calls, purpose=Attempt.Purpose.SEND).exclude(outcome__in=NOT_DONE)
