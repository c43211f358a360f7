"""How long e-mails are kept, sent or not: so long after it was written nobody waits for one."""

from datetime import datetime

from accounts.models import Notification, OutgoingEmail
from partner_portal.core.retention import delete_first, register_retention


def delete_old_emails(before: datetime) -> int:
    return delete_first(OutgoingEmail.objects.filter(created_at__lt=before).order_by("pk"))


def delete_old_notifications(before: datetime) -> int:
    return delete_first(Notification.objects.filter(at__lt=before).order_by("at"))


register_retention("outgoing_emails", "RETENTION_EMAILS_DAYS", delete_old_emails)
register_retention("notifications", "RETENTION_EMAILS_DAYS", delete_old_notifications)
