"""How long letters are kept, sent or not: so long after it was written nobody waits for one."""

from datetime import datetime

from accounts.models import Letter, News
from partner_portal.retention import delete_first, register_retention


def delete_old_letters(before: datetime) -> int:
    return delete_first(Letter.objects.filter(created_at__lt=before).order_by("pk"))


def delete_old_news(before: datetime) -> int:
    return delete_first(News.objects.filter(at__lt=before).order_by("at"))


register_retention("letters", "RETENTION_LETTERS_DAYS", delete_old_letters)
register_retention("news", "RETENTION_LETTERS_DAYS", delete_old_news)
