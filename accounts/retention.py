"""How long letters are kept, sent or not: so long after it was written nobody waits for one."""

from datetime import datetime

from accounts.models import Letter
from partner_portal.retention import delete_first, register_retention


def delete_old_letters(before: datetime) -> int:
    return delete_first(Letter.objects.filter(created_at__lt=before).order_by("pk"))


register_retention("letters", "RETENTION_LETTERS_DAYS", delete_old_letters)
