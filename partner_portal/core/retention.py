"""Retention: one hourly task deletes old rows in batches.

A feature registers what it keeps, the setting with the number of days, and a function that deletes one batch. 0 days
means that rows are kept for good. Rows that record their own end have no setting.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from partner_portal.core.extension_points import ExtensionPoint
from partner_portal.core.models import FailedItem
from partner_portal.core.queues import Queue, note_failed_step

log = structlog.get_logger(__name__)
BATCH = 1000
# Seconds for one run of the task; the next run deletes the rest.
MAX_RUN = 1800.0

# Deletes at most about `BATCH` rows older than the given time, and returns how many; 0 means that none is left.
DeleteBatch = Callable[[datetime], int]


@dataclass(frozen=True)
class Retention:
    """One kind of row that is kept for a limited time."""

    name: str
    setting: str | None
    delete_batch: DeleteBatch


RETENTIONS = ExtensionPoint[Retention]("retention", "What is deleted after the days that a setting says.")


def register_retention(name: str, setting: str | None, delete_batch: DeleteBatch) -> None:
    """Register rows for deletion after the days in the setting named `setting`; None: once they have ended."""
    RETENTIONS.register(name, Retention(name, setting, delete_batch))


def delete_first(old: QuerySet[Any], most: int = BATCH) -> int:
    """Delete the first `most` rows of an ordered query and the rows that depend on them.

    Returns how many were chosen; one that cannot be deleted is set aside.
    """
    name = f"retention of {old.model._meta.model_name}"
    kept = Queue(name, name, old.model)
    chosen = list(kept.ready(old).only("pk")[:most])
    kept.work(chosen, lambda some: old.model._base_manager.filter(pk__in=[row.pk for row in some]).delete())
    return len(chosen)


def delete_old() -> dict[str, int]:
    """Delete everything whose retention is over. Returns how many rows of each kind were deleted.

    A kind that fails is logged and does not stop the others.
    """
    ends_at = time.monotonic() + MAX_RUN
    return {retention.name: _delete_old(retention, ends_at) for retention in RETENTIONS}


def _delete_old(retention: Retention, ends_at: float) -> int:
    days: int = getattr(settings, retention.setting) if retention.setting else 0
    if retention.setting and not days:
        return 0
    before = timezone.now() - timedelta(days=days)
    deleted = 0
    try:
        while time.monotonic() < ends_at and (batch := retention.delete_batch(before)):
            deleted += batch
    except Exception as error:
        log.exception("retention_failed", what=retention.name)
        note_failed_step(f"retention of {retention.name}", error)
    log.info("deleted_old", what=retention.name, count=deleted)
    return deleted


def _delete_dead_letters(before: datetime) -> int:
    return delete_first(FailedItem.objects.filter(dead_at__lt=before).order_by("pk"))


register_retention("dead letters", "RETENTION_ALERTS_DAYS", _delete_dead_letters)
