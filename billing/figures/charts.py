"""Column charts as SVG shapes, with only numbers and class names, because the pages' policy forbids inline styles."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

HEIGHT, TOP, SLOT, GAP = 90.0, 4.0, 30.0, 6.0
BELOW = 18.0


@dataclass(frozen=True)
class Column:
    """One month's column in SVG units, as text; `label` stands below it, `words` give its value."""

    x: str
    y: str
    width: str
    height: str
    middle: str
    label: str
    words: str
    is_settled: bool


@dataclass(frozen=True)
class ColumnChart:
    """The chart of one measure over the months, oldest first; `top` is the largest value, in words."""

    kind: str
    title: str
    top: str
    columns: list[Column]
    words: str
    width: str
    height: str
    base: str


@dataclass(frozen=True)
class Point:
    """One month's value, as a number and in words; one that is not settled is drawn paler."""

    label: str
    value: Decimal | int | None
    words: str
    is_settled: bool = True


def column_chart(kind: str, title: str, points: Sequence[Point]) -> ColumnChart:
    """Return columns whose heights are relative to the highest value; a month without a value has no height."""
    highest = max((point for point in points if point.value), key=lambda point: point.value or 0, default=None)
    most = highest.value if highest else None
    columns = [
        _column(number, point, float(point.value / most) if most and point.value else 0.0)
        for number, point in enumerate(points)
    ]
    read = "; ".join(f"{column.label}: {column.words}" for column in columns)
    return ColumnChart(
        kind=kind,
        title=title,
        top=highest.words if highest else "",
        columns=columns,
        words=f"{title}. {read}",
        width=f"{SLOT * len(columns):.0f}",
        height=f"{TOP + HEIGHT + BELOW:.0f}",
        base=f"{TOP + HEIGHT:.0f}",
    )


def _column(number: int, point: Point, part: float) -> Column:
    height = HEIGHT * part
    return Column(
        x=f"{SLOT * number + GAP / 2:.1f}",
        y=f"{TOP + HEIGHT - height:.1f}",
        width=f"{SLOT - GAP:.1f}",
        height=f"{height:.1f}",
        middle=f"{SLOT * (number + 0.5):.1f}",
        label=point.label,
        words=point.words,
        is_settled=point.is_settled,
    )
