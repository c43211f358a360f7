"""The funnel from arrival to activation: arrivals, registrations and outcomes, by day and by application."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils import formats

from integrations.backoffice.dashboard.connection_events import ConnectionEvent
from integrations.backoffice.dashboard.days import ARRIVED, DAYS, REGISTERED, Counts, counts_by_day, shown_days
from integrations.backoffice.dashboard.numbers import Total, list_url
from integrations.backoffice.dashboard.panels import Title
from integrations.connections.models import Application, Arrival, ConnectionChange
from partner_portal.core.english import english as _

COLUMNS: dict[str, Title] = {
    ARRIVED: _("arrived"),
    REGISTERED: _("registered"),
    **{
        happened.value: happened.label
        for happened in (
            ConnectionEvent.ASKED,
            ConnectionEvent.ACTIVATED,
            ConnectionEvent.FAILED,
            ConnectionEvent.EXPIRED,
        )
    },
}
OUTCOMES = (ConnectionEvent.ACTIVATED, ConnectionEvent.FAILED, ConnectionEvent.EXPIRED)
WIDTH = 240.0


@dataclass(frozen=True)
class OutcomeBar:
    """The part of a row's bar that shows one outcome; lengths are in SVG units, as text."""

    kind: str
    x: str
    width: str


@dataclass(frozen=True)
class FunnelRow:
    """One line of a funnel table: its name, its numbers by column, its bar, and the bar as text."""

    name: str
    numbers: list[Total]
    bars: list[OutcomeBar]
    words: str


def funnel() -> dict[str, Any]:
    """Return the context of the panel, in four queries at any size."""
    counts = counts_by_day()
    return {
        "columns": COLUMNS.values(),
        "legend": [(happened.value, happened.label) for happened in OUTCOMES],
        "tables": [
            (_("by day (UTC)"), list(_with_bars(_by_day(counts)))),
            (_("by application, 14 days"), list(_with_bars(_by_application(counts)))),
        ],
    }


FunnelLine = tuple[str, dict[str, int], dict[str, str | int]]  # name, counts by column, filters of its lists


def _by_day(counts: Counts) -> list[FunnelLine]:
    lines: list[FunnelLine] = []
    for day in shown_days():
        sums = {what: sum(n for key, n in counts.items() if key[0] == day and key[2] == what) for what in COLUMNS}
        lines.append((formats.date_format(day, "D j M"), sums, {"when": day.isoformat()}))
    return lines


def _by_application(counts: Counts) -> list[FunnelLine]:
    lines: list[FunnelLine] = []
    for application in Application.objects.order_by("pk"):
        sums = {what: sum(n for key, n in counts.items() if key[1:] == (application.pk, what)) for what in COLUMNS}
        lines.append((str(application), sums, {"when": f"{DAYS}d", "application": application.pk}))
    return lines


def _with_bars(lines: list[FunnelLine]) -> Iterator[FunnelRow]:
    longest = max((sum(sums[happened] for happened in OUTCOMES) for _name, sums, _filters in lines), default=0)
    for name, sums, filters in lines:
        numbers = [Total(sums[what], _list_of(what, filters)) for what in COLUMNS]
        words = ", ".join(f"{happened.label}: {sums[happened]}" for happened in OUTCOMES)
        yield FunnelRow(name, numbers, list(_bars(sums, longest)), words)


def _bars(sums: dict[str, int], longest: int) -> Iterator[OutcomeBar]:
    left = 0.0
    for happened in OUTCOMES:
        if sums[happened]:
            width = WIDTH * sums[happened] / longest
            yield OutcomeBar(happened.value, f"{left:.1f}", f"{width:.1f}")
            left += width


def _list_of(what: str, filters: dict[str, str | int]) -> str:
    of_application = {"application__id__exact": filters["application"]} if "application" in filters else {}
    if what == ARRIVED:
        return list_url(Arrival, when=filters["when"], **of_application)
    if what == REGISTERED:
        return list_url(Arrival, when=filters["when"], registered="yes", **of_application)
    of_application = {f"connection__{name}": value for name, value in of_application.items()}
    return list_url(ConnectionChange, event=what, when=filters["when"], **of_application)
