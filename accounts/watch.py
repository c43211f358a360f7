"""Letters and news that nobody writes."""

from datetime import datetime, timedelta

from django.db.models import QuerySet

from accounts.letters import GIVES_UP_AFTER, LETTERS, end_old_letter
from accounts.models import Letter, News
from accounts.news import UNTOLD, forget_news
from partner_portal.watch import register_check

# Each round ends those that are too old.
LATE = timedelta(hours=1)
# The news of an arrival wait for its window; nothing waits longer.
LONGEST_NEWS = timedelta(days=1)


def _endless(now: datetime) -> QuerySet[Letter]:
    before = now - GIVES_UP_AFTER - LATE
    old = Letter.objects.filter(sent_at=None, created_at__lt=before).exclude(resent_at__gte=before)
    return LETTERS.ready(old)


def _untold(now: datetime) -> QuerySet[News]:
    return UNTOLD.ready(News.objects.filter(told_at=None, at__lt=now - LONGEST_NEWS))


register_check("letter: not sent", _endless, end_old_letter, by_age=True)
register_check("news: not told", _untold, forget_news, by_age=True)
