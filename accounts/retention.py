"""Retention of e-mails and notifications, sent or not, because nobody waits for an old one; and of ended sessions."""

from datetime import datetime

from django.contrib.sessions.models import Session

from accounts.models import Notification, OutgoingEmail
from partner_portal.core.retention import BATCH, delete_first, register_retention


def delete_old_emails(before: datetime) -> int:
    return delete_first(OutgoingEmail.objects.filter(created_at__lt=before).order_by("pk"))


def delete_old_notifications(before: datetime) -> int:
    return delete_first(Notification.objects.filter(at__lt=before).order_by("at"))


def delete_ended_sessions(before: datetime) -> int:
    """Delete sessions that let nobody in any more, which Django leaves. Return how many were found."""
    ended = Session.objects.filter(expire_date__lt=before)
    keys = list(ended.order_by("expire_date").values_list("pk", flat=True)[:BATCH])
    # A session that was prolonged meanwhile stays.
    ended.filter(pk__in=keys).delete()
    return len(keys)


register_retention("outgoing_emails", "RETENTION_EMAILS_DAYS", delete_old_emails)
register_retention("notifications", "RETENTION_EMAILS_DAYS", delete_old_notifications)
register_retention("sessions", None, delete_ended_sessions)
