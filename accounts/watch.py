"""Watch checks for e-mails and notifications that nothing will send."""

from datetime import datetime, timedelta

from django.db.models import QuerySet

from accounts.emails import EMAILS, MAX_AGE, end_old_email
from accounts.models import Notification, OutgoingEmail
from accounts.notifications import UNSENT, forget_notification
from partner_portal.core.watch import register_check

# Each mail round ends e-mails that are too old; the watch waits this much longer.
LATE = timedelta(hours=1)
# The notifications of an arrival wait for its window; nothing waits longer.
MAX_NOTIFICATIONS = timedelta(days=1)


def _endless(now: datetime) -> QuerySet[OutgoingEmail]:
    before = now - MAX_AGE - LATE
    old = OutgoingEmail.objects.unsent().filter(created_at__lt=before).exclude(resent_at__gte=before)
    return EMAILS.ready(old)


def _unsent(now: datetime) -> QuerySet[Notification]:
    return UNSENT.ready(Notification.objects.filter(sent_at=None, at__lt=now - MAX_NOTIFICATIONS))


register_check("e-mail: not sent", _endless, end_old_email, by_age=True)
register_check("notification: not sent", _unsent, forget_notification, by_age=True)
