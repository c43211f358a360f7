"""The outbox of a database that was restored: what it says of calls was true at the backup."""

from django.db.models import Exists, F, OuterRef

from integrations.outbox.call_kinds import CALL_KINDS
from integrations.outbox.models import UNFINISHED, Attempt, CallState, OutgoingCall

MAY_BE_LOST = "The database was restored from a backup: this call may have been sent since."


def ask_before_sending() -> int:
    """Make every call unconfirmed that was queued or being sent: it may have been sent since. Returns how many."""
    _record_lost_attempts()
    waiting = OutgoingCall.objects.filter(state__in=(CallState.QUEUED, CallState.SENDING))
    return waiting.update(state=CallState.UNCONFIRMED, lease=None, lease_until=None)


def _record_lost_attempts() -> None:
    """Record an attempt without an answer for each unfinished call whose repetition does harm: its own record may be
    lost.

    Without it "Altegio shows nothing" would be taken for proof that nothing was sent. A call that was unconfirmed or
    held may have been sent since the backup as well. Each call gets one such attempt, however often this runs.
    """
    idempotent = [kind.name for kind in CALL_KINDS if kind.idempotent]
    recorded = Attempt.objects.filter(call=OuterRef("pk"), message=MAY_BE_LOST)
    once = OutgoingCall.objects.filter(~Exists(recorded), state__in=UNFINISHED).exclude(kind__in=idempotent)
    once.update(attempt_count=F("attempt_count") + 1)
    Attempt.objects.bulk_create(
        (
            Attempt(call_id=call, number=number, purpose=Attempt.Purpose.SEND, message=MAY_BE_LOST)
            for call, number in once.values_list("pk", "attempt_count").iterator()
        ),
        batch_size=500,
    )
