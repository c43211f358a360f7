"""Whether the activations can spare a call: a call notification is worth something for seconds only, while
an activation mostly has the better part of an hour."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count
from django.db.models.functions import TruncMinute

from integrations.outbox.models import WAITING, OutgoingCall, Priority

# Of each activation's calls: what waited asks first, and a tenth of them need a repetition.
CALLS_FOR_EACH = 2.1
# So much of the time is not counted on: after a minute's calls in its first seconds all rest until it is over.
STANDSTILL = timedelta(minutes=1)


def activations_can_spare_a_call(now: datetime, part: float = 1.0) -> bool:
    """Whether every waiting activation can be met at this part of the allowed rate though another call goes first.

    By the minutes in which they run out: those of any minute and all before it must fit in the time until
    that minute begins, less the longest standstill.
    """
    a_minute = min(settings.ALTEGIO_REQUESTS_PER_MINUTE, settings.ALTEGIO_REQUESTS_PER_SECOND * 60)
    needed = 0.0
    for minute, count in _running_out(now):
        needed += count * CALLS_FOR_EACH
        if needed > (minute - STANDSTILL - now) / timedelta(minutes=1) * a_minute * part:
            return False
    return True


def _running_out(now: datetime) -> list[tuple[datetime, int]]:
    """How many activations that wait run out in which minute, earliest first."""
    waiting = OutgoingCall.objects.filter(priority=Priority.ACTIVATION, state__in=WAITING, deadline_at__gt=now)
    minutes = waiting.annotate(minute=TruncMinute("deadline_at")).values_list("minute")
    return list(minutes.annotate(Count("pk")).order_by("minute"))
