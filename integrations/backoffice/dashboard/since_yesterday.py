"""The panel that compares the last 24 hours with the 24 hours before."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q
from django.utils import timezone

from integrations.backoffice.dashboard.connection_events import ConnectionEvent, events_of_change
from integrations.backoffice.dashboard.days import ARRIVED, REGISTERED
from integrations.backoffice.dashboard.numbers import Total, list_url
from integrations.backoffice.dashboard.panels import Title
from integrations.connections.models import Arrival, ConnectionChange
from partner_portal.core.english import english as _


@dataclass(frozen=True)
class Compared:
    """The counts of one kind of event in the last 24 hours, and in the 24 hours before."""

    label: Title
    now: Total
    before: Total

    @property
    def difference(self) -> str:
        """The difference with its sign; "=" if nothing changed."""
        change = self.now.count - self.before.count
        return f"{change:+d}".replace("-", "−") if change else "="


def since_yesterday() -> dict[str, Any]:
    """Return the compared counts of arrivals and of all connection events, in two queries over two days."""
    now = timezone.now()
    middle, start = now - timedelta(hours=24), now - timedelta(hours=48)
    recent, earlier = _events(start, middle, now)
    rows = [
        _compared(_("arrived"), recent[ARRIVED], earlier[ARRIVED], Arrival),
        _compared(_("registered"), recent[REGISTERED], earlier[REGISTERED], Arrival, registered="yes"),
    ]
    rows += [
        _compared(
            happened.label, recent[happened.value], earlier[happened.value], ConnectionChange, event=happened.value
        )
        for happened in ConnectionEvent
    ]
    return {"rows": rows}


def _compared(
    label: Title, recent: int, earlier: int, model: type[Arrival] | type[ConnectionChange], **filters: str
) -> Compared:
    lists = (list_url(model, **filters, when=when) for when in ("24h", "48-24h"))
    return Compared(label, Total(recent, next(lists)), Total(earlier, next(lists)))


def _events(start: datetime, middle: datetime, now: datetime) -> tuple[Counter[str], Counter[str]]:
    recent: Counter[str] = Counter()
    earlier: Counter[str] = Counter()
    changes = (
        ConnectionChange.objects.filter(at__gte=start, at__lt=now).order_by().values_list("from_state", "to_state")
    )
    grouped = changes.annotate(number=Count("pk"), recent=Count("pk", filter=Q(at__gte=middle)))
    for before, after, number, of_it_recent in grouped:
        for happened in events_of_change(before, after):
            recent[happened.value] += of_it_recent
            earlier[happened.value] += number - of_it_recent
    arrived = Q(arrived_at__gte=middle)
    sums = Arrival.objects.filter(arrived_at__gte=start, arrived_at__lt=now).aggregate(
        number=Count("pk"),
        recent=Count("pk", filter=arrived),
        registered=Count("user_id"),
        recently_registered=Count("user_id", filter=arrived),
    )
    recent[ARRIVED], earlier[ARRIVED] = sums["recent"], sums["number"] - sums["recent"]
    recent[REGISTERED] = sums["recently_registered"]
    earlier[REGISTERED] = sums["registered"] - sums["recently_registered"]
    return recent, earlier
