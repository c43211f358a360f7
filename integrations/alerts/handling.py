"""What staff do with alerts: see to them, put them off, keep them quiet while they work on the portal."""

from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from integrations.alerts.models import Alert, AlertChannels

QUIET = timedelta(hours=1)


def see_to(alerts: QuerySet[Alert], who: User) -> None:
    """This member of staff sees to them."""
    alerts.filter(cleared_at=None).update(assignee=who)


def put_off(alerts: QuerySet[Alert], pause: timedelta) -> None:
    """Leave them out of what is to be done for a while; still open then, they are told once more."""
    until = timezone.now() + pause
    alerts.filter(cleared_at=None).update(snoozed_until=until, mailed_at=None, announced_at=None)


def keep_quiet(until: datetime | None) -> None:
    """Tell of no alert until then; None: from now on they are told again. What is still open is told afterwards."""
    AlertChannels.objects.update_or_create(pk=1, defaults={"quiet_until": until})


def quiet_until(now: datetime) -> datetime | None:
    """Until when nothing is told; None where alerts are told."""
    found = AlertChannels.objects.filter(quiet_until__gt=now).values_list("quiet_until", flat=True)
    return found.first()
