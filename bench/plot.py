"""A plot of a few lines over time, as an SVG that any browser shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

WIDTH, HEIGHT, EDGE = 960, 360, 50
COLORS = ("#1f5fbf", "#b3541e", "#2e7d32", "#7b1fa2")


@dataclass(frozen=True)
class Line:
    """A line of the plot: its name, and a value for each moment (minutes)."""

    name: str
    minutes: Sequence[float]
    values: Sequence[float]


def draw(target: Path, title: str, unit: str, lines: Sequence[Line]) -> None:
    """Write the plot. Its vertical axis begins at zero, so that growth looks as large as it is."""
    end = max(max(line.minutes) for line in lines)
    top = max(max(line.values) for line in lines) * 1.1
    marks = "".join(_mark(share, end, top, unit) for share in (0, 0.25, 0.5, 0.75, 1))
    drawn = "".join(_line(line, number, end, top) for number, line in enumerate(lines))
    text = f'<text x="{EDGE}" y="24" font-weight="bold">{escape(title)}</text>'
    box = f'viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="13"'
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(f'<svg xmlns="http://www.w3.org/2000/svg" {box}>{text}{marks}{drawn}</svg>\n')


def _x(share: float) -> float:
    return EDGE + share * (WIDTH - 4 * EDGE)


def _y(share: float) -> float:
    return HEIGHT - EDGE - share * (HEIGHT - 2 * EDGE)


def _mark(share: float, end: float, top: float, unit: str) -> str:
    """Return a number at each axis, and the line across."""
    across = f'<path d="M{_x(0)} {_y(share):.1f}H{_x(1)}" stroke="#ddd"/>'
    value = f'<text x="{EDGE - 6}" y="{_y(share) + 4:.1f}" text-anchor="end">{top * share:.0f}</text>'
    minute = f'<text x="{_x(share):.1f}" y="{_y(0) + 20}" text-anchor="middle">{end * share:.0f} min</text>'
    return across + value + minute + (f'<text x="{EDGE}" y="40">{escape(unit)}</text>' if share == 1 else "")


def _line(line: Line, number: int, end: float, top: float) -> str:
    color = COLORS[number % len(COLORS)]
    points = [
        f"{_x(minute / end):.1f},{_y(value / top):.1f}"
        for minute, value in zip(line.minutes, line.values, strict=True)
    ]
    name = f'<text x="{_x(1) + 8}" y="{_y(line.values[-1] / top) + 4:.1f}" fill="{color}">{escape(line.name)}</text>'
    return f'<polyline points="{" ".join(points)}" fill="none" stroke="{color}"/>{name}'
