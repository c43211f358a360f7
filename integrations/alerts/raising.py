"""Raising alerts, clearing them, and notifying staff of many in one e-mail."""

from collections.abc import Iterable
from datetime import timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.emails import queue_email
from accounts.roles import staff_who_may
from integrations.alerts.handling import quiet_until
from integrations.alerts.models import Alert
from integrations.connections.models import Connection
from partner_portal.core.clean import clean_line

MAX_IN_AN_EMAIL = 20
SAME_KIND_EVERY = timedelta(minutes=5)


class NewAlert(NamedTuple):
    """An alert to raise. Only one alert with this `key` is open at a time."""

    kind: Alert.Kind
    key: str
    text: str
    connection: Connection | None = None


def raise_alert(kind: Alert.Kind, key: str, text: str, connection: Connection | None = None) -> None:
    """Store an alert; one with this key that is already open stays as it is."""
    raise_alerts([NewAlert(kind, key, text, connection)])


def raise_alerts(alerts: Iterable[NewAlert]) -> None:
    """Store many alerts in one query; those that are already open stay as they are."""
    rows = [Alert(**alert._asdict() | {"text": clean_line(alert.text, 500)}) for alert in alerts]
    Alert.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)


def raise_alert_once(kind: Alert.Kind, key: str, text: str, connection: Connection | None = None) -> None:
    """Raise an alert whose cause is found again and again, but only once: what staff have cleared stays cleared."""
    if not Alert.objects.filter(key=key, connection=connection).exists():
        raise_alert(kind, key, text, connection)


def clear_alerts(**which: object) -> None:
    """Clear the open alerts that match, because what they warned of is over."""
    Alert.objects.filter(cleared_at=None, **which).update(cleared_at=timezone.now())


def _recently_mailed_kinds() -> set[str]:
    recent = Alert.objects.filter(mailed_at__gt=timezone.now() - SAME_KIND_EVERY)
    return set(recent.order_by().values_list("kind", flat=True).distinct())


@transaction.atomic
def mail_alerts() -> int:
    """Queue one e-mail to staff who may see alerts, about all alerts not mailed yet. Returns how many alerts.

    Nothing is sent while all waiting alerts are of kinds that were mailed a moment ago: thousands of activations
    running out make a dozen e-mails an hour, and not one every ten seconds.
    """
    now = timezone.now()
    if quiet_until(now) is not None:
        return 0
    waiting = Alert.objects.to_do(now).select_for_update().filter(mailed_at=None).order_by("raised_at")
    alerts = list(waiting)
    if not {alert.kind for alert in alerts} - _recently_mailed_kinds():
        return 0
    readers = list(staff_who_may("alerts.view_alert"))
    if not readers:
        return 0
    Alert.objects.filter(pk__in=[alert.pk for alert in alerts]).update(mailed_at=now)
    for user in readers:
        queue_email(
            "staff/alerts",
            user,
            key=f"alerts:{alerts[-1].pk}:{user.pk}",
            lines=[alert.text for alert in alerts[:MAX_IN_AN_EMAIL]],
            more=max(len(alerts) - MAX_IN_AN_EMAIL, 0),
            list_url=f"{settings.PORTAL_URL}/admin/alerts/alert/?open=yes",
        )
    return len(alerts)
