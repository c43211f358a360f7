"""What staff do with alerts: see to them, put them off, silence them while they work on the portal."""

from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from integrations.alerts.models import Alert, AlertChannels

QUIET = timedelta(hours=1)


def see_to(alerts: QuerySet[Alert], who: User) -> None:
    """Record that this member of staff sees to the open ones of these alerts."""
    alerts.filter(cleared_at=None).update(assignee=who)


def put_off(alerts: QuerySet[Alert], pause: timedelta) -> None:
    """Put off open alerts for a while; those that are still open then are announced once more."""
    until = timezone.now() + pause
    alerts.filter(cleared_at=None).update(snoozed_until=until, mailed_at=None, announced_at=None)


def keep_quiet(until: datetime | None) -> None:
    """Silence alerts until this moment, or end the silence with None. What is still open is announced afterwards."""
    AlertChannels.objects.update_or_create(pk=1, defaults={"quiet_until": until})


def quiet_until(now: datetime) -> datetime | None:
    """Return until when alerts are silenced; None if they are not."""
    found = AlertChannels.objects.filter(quiet_until__gt=now).values_list("quiet_until", flat=True)
    return found.first()
