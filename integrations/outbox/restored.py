"""The outbox of a database that was restored: what it says of calls was true at the backup."""

from integrations.outbox.models import CallState, OutgoingCall


def ask_before_sending() -> int:
    """Make every call unconfirmed that was queued or being sent: it may have been sent since. Returns how many."""
    waiting = OutgoingCall.objects.filter(state__in=(CallState.QUEUED, CallState.SENDING))
    return waiting.update(state=CallState.UNCONFIRMED, lease=None, lease_until=None)
