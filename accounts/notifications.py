"""Notifications for a person: stored in the transaction of the event, sent once, many of them in one e-mail.

A feature subclasses `NotificationKind`, registers it, and calls `notify`. The e-mail's template has the kind's name.
It is written once nothing more seems to come, so that a chain of a thousand locations gets one e-mail.
"""

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.db import transaction
from django.db.models import Max, Min
from django.urls import reverse
from django.utils import timezone

from accounts.emails import queue_email
from accounts.models import Notification, User
from partner_portal.core.extension_points import ExtensionPoint
from partner_portal.core.queues import Queue

# More of a group may come: an e-mail waits until none has come for `QUIET`, but never longer than `MAX_DURATION`.
QUIET = timedelta(seconds=10)
MAX_DURATION = timedelta(minutes=2)
MAX_IN_AN_EMAIL = 10
MAX_EMAILS_AT_ONCE = 500
_Group = tuple[str, int, str]  # kind, person, group
UNSENT = Queue.register(Queue("notifications", "Notifications to be sent", Notification))


class NotificationKind(ABC):
    """A kind of notification, and its e-mail."""

    name: ClassVar[str]

    def unfinished(self, groups: Collection[str]) -> set[str]:
        """Return the groups that will surely get more notifications; their e-mails wait."""
        return set()

    @abstractmethod
    def still_true(self, person: User, subjects: Sequence[int]) -> list[int]:
        """Return the subjects that are worth an e-mail now, in its order; the others are outdated."""


NOTIFICATION_KINDS = ExtensionPoint[NotificationKind](
    "kinds of notification", "What people are told of in one e-mail for many, under the name of its template."
)


def register_notification(kind: type[NotificationKind]) -> type[NotificationKind]:
    """Register a kind under its name."""
    NOTIFICATION_KINDS.register(kind.name, kind())
    return kind


def notify(kind: type[NotificationKind], person: User | None, subject: int, *, key: str, group: str = "") -> None:
    """Store a notification for the person, if there is one. The same `key` again replaces the row it is about."""
    if person is None:
        return
    new = Notification(key=f"{kind.name}:{key}", person=person, kind=kind.name, group=group, subject=subject)
    Notification.objects.bulk_create([new], update_conflicts=True, unique_fields=["key"], update_fields=["subject"])


def send_digests(now: datetime | None = None) -> int:
    """Queue the e-mails that are due at `now`. Return how many."""
    now = now or timezone.now()
    waiting = Notification.objects.filter(sent_at=None, kind__in=NOTIFICATION_KINDS.names()).values(
        "kind", "person", "group"
    )
    groups = waiting.annotate(first=Min("pk"), oldest=Min("at"), newest=Max("at")).order_by("oldest")
    due: list[_Group] = [
        (group["kind"], group["person"], group["group"])
        for group in groups.exclude(first__in=UNSENT.resting())[: 10 * MAX_EMAILS_AT_ONCE]
        if group["newest"] <= now - QUIET or group["oldest"] <= now - MAX_DURATION
    ]
    finished = _without_unfinished(due)[:MAX_EMAILS_AT_ONCE]
    return sum(_tell_alone(group, now) for group in finished)


def _tell_alone(group: _Group, now: datetime) -> int:
    """Queue the e-mail of one group; set it aside if it fails, so that it holds up no other. Return how many."""
    try:
        return _tell(*group, now)
    except Exception as error:
        kind, person, name = group
        first = Notification.objects.filter(sent_at=None, kind=kind, person=person, group=name).order_by("pk").first()
        if first is not None:
            UNSENT.set_aside(first.pk, error)
        return 0


def _without_unfinished(due: list[_Group]) -> list[_Group]:
    by_kind: dict[str, set[str]] = defaultdict(set)
    for kind, _person, group in due:
        by_kind[kind].add(group)
    unfinished = {kind: NOTIFICATION_KINDS[kind].unfinished(groups) for kind, groups in by_kind.items()}
    return [(kind, person, group) for kind, person, group in due if group not in unfinished[kind]]


@transaction.atomic
def _tell(kind: str, person_id: int, group: str, now: datetime) -> int:
    """Queue one e-mail about all that is new; delete what is outdated. The lock lets only one worker send it."""
    mine = Notification.objects.select_for_update().filter(sent_at=None, kind=kind, person=person_id, group=group)
    notifications = list(mine.order_by("pk").values_list("pk", "subject"))
    person = User.objects.get(pk=person_id)
    reachable = person.email and person.is_active
    current_subjects = (
        NOTIFICATION_KINDS[kind].still_true(person, [subject for _pk, subject in notifications])
        if notifications and reachable
        else []
    )
    unsent = Notification.objects.filter(pk__in=[pk for pk, _subject in notifications])
    unsent.exclude(subject__in=current_subjects).delete()
    if not current_subjects:
        return 0
    unsent.update(sent_at=now)
    queue_email(
        kind,
        person,
        key=f"{kind}:{notifications[0][0]}",
        subjects=current_subjects[:MAX_IN_AN_EMAIL],
        more=max(len(current_subjects) - MAX_IN_AN_EMAIL, 0),
    )
    return 1


def forget_notification(notification: Notification) -> None:
    """Delete a notification that could not be sent for a day: it is not new any more."""
    Notification.objects.filter(pk=notification.pk, sent_at=None).delete()


def digest_context(lines: list[dict[str, Any]], params: dict[str, Any]) -> dict[str, Any]:
    """Return the context of an e-mail that shows `lines`, one for each subject still there, and counts `more`."""
    return {
        "lines": lines,
        "first": lines[0],
        "count": len(params["subjects"]) + params["more"],
        "account_url": settings.PORTAL_URL + reverse("accounts:home"),
    }
