"""Comparison of what Altegio sends with the contract. A failure here is logged and stops nothing else."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import structlog
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from integrations.altegio.answers import Answer
from integrations.altegio.contract import differences
from integrations.altegio.contract.differences import Difference
from integrations.altegio.requests import ApiRequest
from integrations.contract_drift.models import Drift

log = structlog.get_logger(__name__)

# A limit on the rows for each call or callback, because the names in them come from outside.
MAX_ROWS_OF_A_SUBJECT = 200


def observe_answer(request: ApiRequest, answer: Answer) -> None:
    """Count the differences between an answer and the contract."""
    _observe(lambda: differences.of_answer(request, answer))


def observe_callback(body: Any) -> None:
    """Count the differences between a stored lifecycle callback and the contract."""
    _observe(lambda: differences.of_callback(body))


def observe_events(bodies: Iterable[Any]) -> None:
    """Count the differences between entity webhooks and the contract, together; once for each body."""
    _observe(lambda: [found for body in bodies for found in differences.of_events(body)])


def _observe(compare: Callable[[], list[Difference]]) -> None:
    try:
        if found := compare():
            with transaction.atomic():
                _count(found, timezone.now())
    except Exception:
        log.exception("contract_not_compared")


def _count(found: Iterable[Difference], now: datetime) -> None:
    """Add the differences to the stored counts; the fixed order prevents deadlocks between processes."""
    times: dict[tuple[str, str, str, str], tuple[int, str]] = {}
    for one in found:
        key = (one.subject, one.kind, one.path, one.value)
        count, sample = times.get(key, (0, one.sample))
        times[key] = count + 1, sample
    for (subject, kind, path, value), (count, sample) in sorted(times.items()):
        same = Drift.objects.filter(subject=subject, kind=kind, path=path, value=value)
        if same.update(count=F("count") + count, last_seen_at=now) or _is_full(subject):
            continue
        new = Drift(subject=subject, kind=kind, path=path, value=value, sample=sample)
        new.first_seen_at = new.last_seen_at = now
        Drift.objects.bulk_create([new], ignore_conflicts=True)
        same.update(count=F("count") + count, last_seen_at=now)


def _is_full(subject: str) -> bool:
    return Drift.objects.filter(subject=subject).count() >= MAX_ROWS_OF_A_SUBJECT
