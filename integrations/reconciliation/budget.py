"""How many questions the search for unreported changes may cost.

They have the lowest priority (`Priority.HOUSEKEEPING`), so they never take a call from an activation or a payment;
the share keeps them from filling what is left (docs/scale.md).
"""

from django.conf import settings

from integrations.outbox.models import UNFINISHED, OutgoingCall
from integrations.status_sync.status_sync import AskPatiently

# Beat's round (`partner_portal/beat_schedule.py`), and the hours of the night in which a reconciliation asks.
ROUND_MINUTES = 3
NIGHT_MINUTES = 4 * 60


def night_budget() -> int:
    """Return how many statuses one reconciliation may ask for."""
    return int(_a_minute() * NIGHT_MINUTES)


def free_room() -> int:
    """Return how many more questions may be queued in this round; those that still wait have taken their place."""
    waiting = OutgoingCall.objects.filter(kind=AskPatiently.name, state__in=UNFINISHED).count()
    return max(int(_a_minute() * ROUND_MINUTES) - waiting, 0)


def _a_minute() -> float:
    """Return how many calls a minute the share allows (`RECHECK_SHARE`)."""
    allowed = min(settings.ALTEGIO_REQUESTS_PER_MINUTE, settings.ALTEGIO_REQUESTS_PER_SECOND * 60)
    return allowed * float(settings.RECHECK_SHARE)
