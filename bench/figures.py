"""The figures of the bench, each beside a floor that is measured in the same run."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from math import comb
from pathlib import Path

Details = dict[str, float | int | str]
HEADS = ("part", "what", "measured", "floor", "ratio", "interval", "wanted", "")


@dataclass(frozen=True)
class Figure:
    """A figure: `value` beside `floor`, both in `unit`, and the bounds for the ratio of the two.

    A figure without bounds is only shown. `broken` says what went wrong whatever the ratio is. `between` is the
    interval that holds the median of the ratio; a figure is missed only if the whole interval is out of bounds.
    """

    part: str
    what: str
    value: float
    floor: float
    unit: str
    beside: str
    least: float | None = None
    most: float | None = None
    broken: str = ""
    between: tuple[float, float] | None = None
    details: Details = field(default_factory=dict)

    @property
    def ratio(self) -> float:
        return self.value / self.floor if self.floor else 0.0

    @property
    def missed(self) -> bool:
        """Whether the figure is out of bounds or broken."""
        low, high = self.between or (self.ratio, self.ratio)
        too_little = self.least is not None and high < self.least
        too_much = self.most is not None and low > self.most
        return bool(self.broken) or too_little or too_much

    @property
    def wanted(self) -> str:
        bounds = (f"≥ {self.least:g}" if self.least is not None else "", f"≤ {self.most:g}" if self.most else "")
        return " ".join(filter(None, bounds))

    def as_json(self) -> dict[str, object]:
        return asdict(self) | {"ratio": round(self.ratio, 3), "missed": self.missed}


def median_interval(values: Sequence[float], chance: float = 0.95) -> tuple[float, float]:
    """Return the values between which the true median lies with at least this chance (the sign test's interval).

    These are the smallest and the largest if there are too few values to say so.
    """
    ordered, tail, rank = sorted(values), 0.0, 0
    for outside in range(len(ordered) // 2):
        tail += comb(len(ordered), outside) / 2 ** len(ordered)
        if 2 * tail > 1 - chance:
            break
        rank = outside
    return ordered[rank], ordered[-1 - rank]


def table(figures: Iterable[Figure]) -> str:
    """Return all figures as text, one to a line."""
    rows = [HEADS, *(_row(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADS))]
    return "\n".join(_line(row, widths) for row in rows)


def _row(figure: Figure) -> tuple[str, ...]:
    remarks = ", ".join(f"{name} {value}" for name, value in figure.details.items())
    return (
        figure.part,
        figure.what,
        f"{_number(figure.value)} {figure.unit}",
        f"{_number(figure.floor)} ({figure.beside})",
        f"{figure.ratio:.2f}",
        "{:.2f} to {:.2f}".format(*figure.between) if figure.between else "",
        figure.wanted,
        f"{'MISSED ' if figure.missed else ''}{figure.broken} {remarks}".strip(),
    )


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    # Align words to the left, figures to the right.
    aligned = (
        cell.rjust(width) if 2 <= column <= 5 else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(row, widths, strict=True))
    )
    return "  ".join(aligned).rstrip()


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"


def write(figures: Sequence[Figure], target: Path) -> None:
    """Write the figures as JSON."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps([figure.as_json() for figure in figures], indent=2, ensure_ascii=False) + "\n")
