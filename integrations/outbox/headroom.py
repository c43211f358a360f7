"""The headroom of the activations: whether they can spare a call for others.

A call notification is of use for seconds only, while an activation mostly has the better part of an hour.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count
from django.db.models.functions import TruncMinute

from integrations.outbox.models import WAITING, OutgoingCall, Priority

# Calls that each activation needs: one that has waited asks first, and a tenth of them must be repeated.
CALLS_FOR_EACH = 2.1
# This much of the time is not relied on: a minute's calls may be used up in its first seconds, and then all wait.
STANDSTILL = timedelta(minutes=1)


def activations_can_spare_a_call(now: datetime, part: float = 1.0) -> bool:
    """Return whether every waiting activation can be sent in time, at this part of the rate, if another call goes
    first.

    Activations are counted by the minute in which they run out: those of any minute and all before it must fit in the
    time until that minute begins, less the longest standstill.
    """
    a_minute = min(settings.ALTEGIO_REQUESTS_PER_MINUTE, settings.ALTEGIO_REQUESTS_PER_SECOND * 60)
    needed = 0.0
    for minute, count in _running_out(now):
        needed += count * CALLS_FOR_EACH
        if needed > (minute - STANDSTILL - now) / timedelta(minutes=1) * a_minute * part:
            return False
    return True


def _running_out(now: datetime) -> list[tuple[datetime, int]]:
    """Return how many waiting activations run out in each minute, earliest first."""
    waiting = OutgoingCall.objects.filter(priority=Priority.ACTIVATION, state__in=WAITING, deadline_at__gt=now)
    minutes = waiting.annotate(minute=TruncMinute("deadline_at")).values_list("minute")
    return list(minutes.annotate(Count("pk")).order_by("minute"))
