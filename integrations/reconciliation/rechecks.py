"""Rechecks: a freeze, an uninstall or an unfreeze that no callback reported is found by asking.

Three rules, each in a constant number of queries:

1. A connection whose trial or paid period has ended while it is believed active is asked about at once, then each day
   until it is clear: Altegio freezes within 24 hours (docs/altegio.md §3).
2. Every live connection is asked about at least once in `RECHECK_DAYS`, the one asked longest ago first.
3. A reconciliation asks about all of them, longest ago first, as far as the night's budget goes.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Max, Q, QuerySet
from django.db.models.functions import Greatest
from django.utils import timezone

from integrations.connections.models import Connection, State
from integrations.connections.transitions import hold
from integrations.outbox.models import OutgoingCall
from integrations.reconciliation.budget import free_room
from integrations.reconciliation.models import Reconciliation
from integrations.reconciliation.runs import finish_if_done
from integrations.status_sync.status_sync import AskPatiently, ask_status_of_each

A_DAY = timedelta(days=1)
# A connection still active this long after its end is not paid through Altegio: the second rule is enough for it.
UNCLEAR_LASTS = timedelta(days=30)
# Ended periods go first, but leave part of the room to the other rules.
SHARE_OF_ENDED = 0.75
BATCH = 500


def recheck() -> int:
    """Ask about the connections whose turn it is. Returns how many."""
    now, room = timezone.now(), free_room()
    asked = _ask(_keys(ended_periods(now), int(room * SHARE_OF_ENDED)), since=now)
    running = Reconciliation.objects.filter(state=Reconciliation.State.RUNNING, lists_left=0).first()
    if running is not None:
        return asked + continue_run(running)
    turn = oldest_first(now - timedelta(days=settings.RECHECK_DAYS))
    return asked + _ask(_keys(turn, room - asked), since=now)


def continue_run(run: Reconciliation) -> int:
    """Ask about the next connections of a running reconciliation whose lists are read. Returns how many."""
    room = min(free_room(), run.statuses_left)
    keys = _keys(oldest_first(run.started_at), room)
    asked = _ask(keys, since=run.started_at)
    newest = OutgoingCall.objects.filter(kind=AskPatiently.name).aggregate(newest=Max("pk"))["newest"] or 0
    with transaction.atomic():
        Reconciliation.objects.filter(pk=run.pk).update(
            calls=F("calls") + asked,
            # Beat and the command may continue one run at once: neither undoes what the other wrote.
            statuses_left=0 if len(keys) < room else Greatest(F("statuses_left") - asked, 0),
            last_question=Greatest(F("last_question"), newest),
        )
        finish_if_done(run.pk)
    return asked


def ended_periods(now: datetime) -> QuerySet[Connection]:
    """Return the connections believed active after their trial or paid period that are to be asked about again.

    They were not asked about since its end, or not for a day. Newest end first, along an index: hardly any active
    connection has ended, and all that have are looked at.
    """
    over = Connection.objects.filter(
        state=State.ACTIVE, next_payment_at__lte=now, next_payment_at__gt=now - UNCLEAR_LASTS
    )
    unasked = Q(status_asked_at__lte=F("next_payment_at")) | Q(status_asked_at__lte=now - A_DAY)
    return over.filter(unasked).order_by("-next_payment_at")


def oldest_first(before: datetime) -> QuerySet[Connection]:
    """Return the live connections that were not asked about since `before`, the one asked longest ago first."""
    return Connection.objects.live().filter(status_asked_at__lt=before).order_by("status_asked_at")


def _keys(connections: QuerySet[Connection], most: int) -> list[int]:
    return list(connections.values_list("pk", flat=True)[:most])


def _ask(keys: list[int], *, since: datetime) -> int:
    """Queue the questions, unless another worker has done so since. Returns how many."""
    return sum(_ask_batch(keys[start : start + BATCH], since) for start in range(0, len(keys), BATCH))


@transaction.atomic
def _ask_batch(keys: list[int], since: datetime) -> int:
    unasked = hold(Connection.objects.live().filter(pk__in=keys, status_asked_at__lt=since))
    Connection.objects.filter(pk__in=unasked).update(status_asked_at=timezone.now())
    ask_status_of_each(Connection.objects.filter(pk__in=unasked).order_by("pk"), patient=True)
    return len(unasked)
