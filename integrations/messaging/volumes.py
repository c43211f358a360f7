"""Message volumes and cost by day, location and status, counted batch by batch after the statuses were stored.

The figures outlive the statuses themselves (`RETENTION_SMS_STATUSES_DAYS`).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Count, F, Sum
from django.db.models.functions import Greatest

from integrations.messaging.models import DailyVolume, MessageStatus, StatusBatch
from partner_portal.core.queues import Queue

BATCHES_AT_ONCE = 100
Figure = tuple[date, int, int, str]  # the day, Altegio's id of the location, the status, the currency
VOLUMES = Queue.register(Queue("volumes", "Message statuses to be counted", StatusBatch))


def count_volumes() -> int:
    """Add all uncounted batches to the figures; return how many. Beat calls this, and several may run at once."""
    counted = 0
    while some := _count_some():
        counted += some
    return counted


def _count_some() -> int:
    with transaction.atomic():
        waiting = StatusBatch.objects.select_for_update(skip_locked=True).filter(tallied=False)
        batches = list(VOLUMES.ready(waiting).order_by("pk")[:BATCHES_AT_ONCE])
        VOLUMES.work(batches, lambda some: tally([batch.pk for batch in some]))
    return len(batches)


def tally(batches: Sequence[int]) -> None:
    """Add the statuses of these locked batches to the figures of their days."""
    if not batches:
        return
    kinds = (
        MessageStatus.objects.filter(batch__in=batches)
        .order_by()
        .values("batch__received_at__date", "location__altegio_id", "status", "currency_iso")
        .annotate(messages=Count("pk"), parts=Sum("parts_amount"), cost=Sum("payment_sum"))
    )
    for kind in sorted(kinds, key=_sorted_by):
        _add(kind)
    StatusBatch.objects.filter(pk__in=batches).update(tallied=True)


def tally_once(batches: Sequence[StatusBatch]) -> None:
    """Add those of these locked batches that are not counted yet, and mark all of them as counted."""
    tally([batch.pk for batch in batches if not batch.tallied])
    for batch in batches:
        batch.tallied = True


def _sorted_by(kind: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the sort key of a figure; the fixed lock order prevents deadlocks between counters."""
    day, salon_id = kind["batch__received_at__date"], kind["location__altegio_id"] or 0
    return day, salon_id, kind["status"], kind["currency_iso"]


def _add(kind: Mapping[str, Any]) -> None:
    """Add numbers, which may be negative, to a day's figure, which never falls below zero.

    What is subtracted may have been counted under another figure, and that must not stop a status.
    """
    day, salon_id, status, currency = _sorted_by(kind)
    volume, _made = DailyVolume.objects.get_or_create(
        day=day, salon_id=salon_id, status=status, currency_iso=currency
    )
    DailyVolume.objects.filter(pk=volume.pk).update(
        messages=Greatest(F("messages") + kind["messages"], 0),
        parts=Greatest(F("parts") + (kind["parts"] or 0), 0),
        cost=Greatest(F("cost") + (kind["cost"] or Decimal(0)), Decimal(0)),
    )


def correct_volumes(corrections: Sequence[tuple[MessageStatus, Mapping[str, Any]]]) -> None:
    """Replace the present prices of counted statuses by new ones in the figures of their days."""
    figures: defaultdict[Figure, list[Any]] = defaultdict(lambda: [0, 0, Decimal(0)])
    for status, price in corrections:
        for sign, sum_, currency, parts in (
            (-1, status.payment_sum, status.currency_iso, status.parts_amount),
            (1, price["payment_sum"], price["currency_iso"], price["parts_amount"]),
        ):
            figure = figures[counted_on(status.batch.received_at), _salon_of(status), status.status, currency]
            figure[0] += sign
            figure[1] += sign * (parts or 0)
            figure[2] += sign * (sum_ or Decimal(0))
    for figure_of, (messages, parts, cost) in sorted(figures.items()):
        if messages or parts or cost:
            day, salon_id, number, currency = figure_of
            _add(
                {
                    "batch__received_at__date": day,
                    "location__altegio_id": salon_id,
                    "status": number,
                    "currency_iso": currency,
                    "messages": messages,
                    "parts": parts,
                    "cost": cost,
                }
            )


def counted_on(received_at: datetime) -> date:
    """Return the day (UTC) under which a status received at this moment is counted."""
    return received_at.astimezone(UTC).date()


def _salon_of(status: MessageStatus) -> int:
    return status.location.altegio_id if status.location else 0
