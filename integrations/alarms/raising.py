"""Raising alarms, and telling staff about them in one letter for many."""

from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.letters import queue_letter
from accounts.models import User
from integrations.alarms.models import Alarm
from integrations.models.connection import Connection
from partner_portal.clean import clean_line

NewAlarm = tuple[Alarm.Kind, str, str, Connection | None]
MOST_IN_A_LETTER = 20
SAME_KIND_EVERY = timedelta(minutes=5)


def raise_alarms(alarms: Iterable[NewAlarm]) -> None:
    """Store alarms of (kind, key, text, connection); one that is open already stays as it is."""
    rows = [
        Alarm(kind=kind, key=key, text=clean_line(text, 500), connection=connection)
        for kind, key, text, connection in alarms
    ]
    Alarm.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)


def raise_alarm_once(kind: Alarm.Kind, key: str, text: str, connection: Connection) -> None:
    """Raise an alarm whose cause is found again and again: what staff have cleared stays cleared."""
    if not Alarm.objects.filter(key=key, connection=connection).exists():
        raise_alarms([(kind, key, text, connection)])


def clear_alarms(**which: object) -> None:
    """What these alarms warned of is over."""
    Alarm.objects.filter(cleared_at=None, **which).update(cleared_at=timezone.now())


def _kinds_told_lately() -> set[str]:
    lately = Alarm.objects.filter(mailed_at__gt=timezone.now() - SAME_KIND_EVERY)
    return set(lately.order_by().values_list("kind", flat=True).distinct())


@transaction.atomic
def mail_alarms() -> int:
    """One letter to each member of staff about all alarms not mailed yet. Returns how many alarms.

    More of a kind that was told of a moment ago waits: thousands of activations running out make a dozen
    letters an hour, and not one every ten seconds.
    """
    waiting = Alarm.objects.select_for_update().filter(mailed_at=None, cleared_at=None).order_by("raised_at")
    alarms = list(waiting)
    if not {alarm.kind for alarm in alarms} - _kinds_told_lately():
        return 0
    Alarm.objects.filter(pk__in=[alarm.pk for alarm in alarms]).update(mailed_at=timezone.now())
    for user in User.objects.filter(is_staff=True, is_active=True).exclude(email=None):
        queue_letter(
            "alarms",
            user,
            key=f"alarms:{alarms[-1].pk}:{user.pk}",
            lines=[alarm.text for alarm in alarms[:MOST_IN_A_LETTER]],
            more=max(len(alarms) - MOST_IN_A_LETTER, 0),
            list_url=f"{settings.PORTAL_URL}/admin/integrations/alarm/?open=yes",
        )
    return len(alarms)
