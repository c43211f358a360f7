"""Retention of finished calls with their attempts: the evidence for Altegio's support."""

from datetime import datetime

from integrations.outbox.models import OutgoingCall
from partner_portal.core.retention import delete_first, register_retention

# A small batch, because each call's attempts are deleted with it.
CALLS_AT_ONCE = 300


def delete_old_calls(before: datetime) -> int:
    """Delete a batch of the calls that ended before `before`, and return how many."""
    return delete_first(OutgoingCall.objects.filter(finished_at__lt=before).order_by("finished_at"), CALLS_AT_ONCE)


register_retention("calls", "RETENTION_CALLS_DAYS", delete_old_calls)
