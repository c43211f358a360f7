"""News for a person: noted in the transaction of what happened, told in one letter for many, each of them once.

A feature that has something to tell subclasses `NewsKind`, registers it, and notes. The letter is the
template of the kind's name; it is written once nothing more seems to come, so that a chain of a thousand
locations is one letter.
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

from accounts.letters import queue_letter
from accounts.models import News, User
from partner_portal.queues import Queue

# More of a group may come: a letter waits until none has come for so long, but never longer than the second.
QUIET = timedelta(seconds=10)
LONGEST = timedelta(minutes=2)
MOST_IN_A_LETTER = 10
MOST_LETTERS_AT_ONCE = 500
_Group = tuple[str, int, str]  # kind, person, group
UNTOLD = Queue.register(Queue("news", "News to be written to people", News))


class NewsKind(ABC):
    """One kind of news, and its letter."""

    name: ClassVar[str]

    def unfinished(self, groups: Collection[str]) -> set[str]:
        """Those of the groups of which more will come for sure: their letters wait."""
        return set()

    @abstractmethod
    def still_true(self, person: User, subjects: Sequence[int]) -> list[int]:
        """What is worth a letter now, in the order of the letter; the rest has been overtaken."""


_kinds: dict[str, NewsKind] = {}


def register_news(kind: type[NewsKind]) -> type[NewsKind]:
    """Make a kind known, under its name."""
    _kinds[kind.name] = kind()
    return kind


def note(kind: type[NewsKind], person: User | None, subject: int, *, key: str, group: str = "") -> None:
    """The person is to be told, if there is one. The same `key` again is the same news, of another row perhaps."""
    if person is None:
        return
    news = News(key=f"{kind.name}:{key}", person=person, kind=kind.name, group=group, subject=subject)
    News.objects.bulk_create([news], update_conflicts=True, unique_fields=["key"], update_fields=["subject"])


def tell_what_is_new(now: datetime | None = None) -> int:
    """Queue the letters that are due at `now`. Returns how many."""
    now = now or timezone.now()
    waiting = News.objects.filter(told_at=None, kind__in=_kinds).values("kind", "person", "group")
    groups = waiting.annotate(first=Min("pk"), oldest=Min("at"), newest=Max("at")).order_by("oldest")
    due: list[_Group] = [
        (group["kind"], group["person"], group["group"])
        for group in groups.exclude(first__in=UNTOLD.resting())[: 10 * MOST_LETTERS_AT_ONCE]
        if group["newest"] <= now - QUIET or group["oldest"] <= now - LONGEST
    ]
    finished = _without_unfinished(due)[:MOST_LETTERS_AT_ONCE]
    return sum(_tell_alone(group, now) for group in finished)


def _tell_alone(group: _Group, now: datetime) -> int:
    """The letter of one group: one that cannot be written keeps no other back."""
    try:
        return _tell(*group, now)
    except Exception as error:
        kind, person, name = group
        first = News.objects.filter(told_at=None, kind=kind, person=person, group=name).order_by("pk").first()
        if first is not None:
            UNTOLD.set_aside(first.pk, error)
        return 0


def _without_unfinished(due: list[_Group]) -> list[_Group]:
    by_kind: dict[str, set[str]] = defaultdict(set)
    for kind, _person, group in due:
        by_kind[kind].add(group)
    unfinished = {kind: _kinds[kind].unfinished(groups) for kind, groups in by_kind.items()}
    return [(kind, person, group) for kind, person, group in due if group not in unfinished[kind]]


@transaction.atomic
def _tell(kind: str, person_id: int, group: str, now: datetime) -> int:
    """One letter about all that is new; what was overtaken is forgotten. Two workers never tell the same."""
    mine = News.objects.select_for_update().filter(told_at=None, kind=kind, person=person_id, group=group)
    news = list(mine.order_by("pk").values_list("pk", "subject"))
    person = User.objects.get(pk=person_id)
    reachable = person.email and person.is_active
    told = _kinds[kind].still_true(person, [subject for _pk, subject in news]) if news and reachable else []
    untold = News.objects.filter(pk__in=[pk for pk, _subject in news])
    untold.exclude(subject__in=told).delete()
    if not told:
        return 0
    untold.update(told_at=now)
    queue_letter(
        kind,
        person,
        key=f"{kind}:{news[0][0]}",
        subjects=told[:MOST_IN_A_LETTER],
        more=max(len(told) - MOST_IN_A_LETTER, 0),
    )
    return 1


def forget_news(news: News) -> None:
    """What nobody could be told for a day is not new any more."""
    News.objects.filter(pk=news.pk, told_at=None).delete()


def letter_about(lines: list[dict[str, Any]], params: dict[str, Any]) -> dict[str, Any]:
    """The context of a letter that shows `lines`, one for each of its `subjects` still there, and counts `more`."""
    return {
        "lines": lines,
        "first": lines[0],
        "count": len(params["subjects"]) + params["more"],
        "account_url": settings.PORTAL_URL + reverse("accounts:home"),
    }
