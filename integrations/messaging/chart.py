"""A chart of each day's messages by status, computed here as SVG shapes so that the page needs no script."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import QuerySet, Sum
from django.utils import formats, timezone

from integrations.messaging.models import DailyVolume, SmsStatus

DAYS = 30
WIDTH, HEIGHT, FOOT = 900, 240, 24
# Light and dark colours alternate, so that they can be distinguished without colour vision too.
COLOURS: dict[int, str] = {
    SmsStatus.DELIVERED: "#1b7f4b",
    SmsStatus.SENT_TO_PHONE: "#9fd8b8",
    SmsStatus.HANDED_OVER: "#2f6fb5",
    SmsStatus.NOT_DELIVERED: "#f2b134",
    SmsStatus.REJECTED: "#b3261e",
    SmsStatus.NOT_ENOUGH_FUNDS: "#6b6b6b",
}


@dataclass(frozen=True)
class StatusBar:
    """The part of a day's bar that shows one status."""

    x: str
    y: str
    width: str
    height: str
    colour: str
    title: str


@dataclass(frozen=True)
class VolumeChart:
    """The shapes that the template draws; lengths are in SVG units."""

    width: int
    height: int
    bars: list[StatusBar]
    labels: list[tuple[str, str]]
    legend: list[tuple[str, str]]
    highest: int


def volume_chart(volumes: QuerySet[DailyVolume]) -> VolumeChart:
    """Return a chart of the last 30 days' messages, with a bar for each day, split by status."""
    last = timezone.now().date()
    days = [last - timedelta(days=DAYS - 1 - index) for index in range(DAYS)]
    counts = _counts(volumes, days[0])
    highest = max((sum(kinds.values()) for kinds in counts.values()), default=0)
    step = WIDTH / DAYS
    bars = [
        bar
        for index, day in enumerate(days)
        for bar in _day_bars(day, counts.get(day, {}), index * step, step, highest)
    ]
    labels = [(f"{index * step:.1f}", formats.date_format(day, "MONTH_DAY_FORMAT")) for index, day in enumerate(days)]
    legend = [(colour, str(SmsStatus(status).label)) for status, colour in COLOURS.items()]
    return VolumeChart(WIDTH, HEIGHT + FOOT, bars, labels[::5], legend, highest)


def _counts(volumes: QuerySet[DailyVolume], first: date) -> dict[date, dict[int, int]]:
    rows = volumes.filter(day__gte=first).order_by().values_list("day", "status").annotate(Sum("messages"))
    counts: dict[date, dict[int, int]] = defaultdict(dict)
    for day, status, messages in rows:
        counts[day][status] = messages
    return counts


def _day_bars(day: date, kinds: dict[int, int], left: float, step: float, highest: int) -> list[StatusBar]:
    bars, top = [], float(HEIGHT)
    for status, colour in COLOURS.items():
        if messages := kinds.get(status, 0):
            height = HEIGHT * messages / highest
            top -= height
            title = f"{formats.date_format(day)}: {SmsStatus(status).label}, {formats.number_format(messages)}"
            bars.append(StatusBar(f"{left:.1f}", f"{top:.1f}", f"{step * 0.8:.1f}", f"{height:.1f}", colour, title))
    return bars
