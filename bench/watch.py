"""The watch's round of each minute, at a thousand, a hundred thousand and a million rows of each kind it looks at."""

import os
import time
from collections.abc import Callable, Iterator
from statistics import median, quantiles

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django

django.setup()

from django.utils import timezone  # noqa: E402

from bench.figures import Figure  # noqa: E402
from bench.filling import Filled, filled  # noqa: E402
from bench.options import Options  # noqa: E402
from partner_portal.core.watch import CHECKS, MAX_COUNT, Check, found, heal_stranded  # noqa: E402

WARMING = 3
WANTED = 2.0


def measure(options: Options) -> Iterator[Figure]:
    """Measure a whole round, its counts for the metrics, and each check alone."""
    databases = [filled(size) for size in options.sizes]
    works = {"a round": heal_stranded, "its metrics": found} | {f"  {each.name}": _looking(each) for each in CHECKS}
    for name, work in works.items():
        few, *_, many = times = [_times(of, work, options.repeats) for of in databases]
        what, beside = f"{name} at {options.sizes[-1]:,}", f"at {options.sizes[0]:,}"
        yield Figure(
            *("watch", what, median(many), median(few), "ms", beside),
            most=WANTED,
            broken=_found(databases[-1]),
            details={f"{size:,}": _shown(each) for size, each in zip(options.sizes, times, strict=True)},
        )


def _looking(check: Check) -> Callable[[], object]:
    return lambda: list(check.find(timezone.now())[:MAX_COUNT])


def _times(of: Filled, work: Callable[[], object], repeats: int) -> list[float]:
    """Return the milliseconds of each repetition."""
    with of.used():
        for _ in range(WARMING):
            work()
        times = []
        for _ in range(repeats):
            began = time.perf_counter()
            work()
            times.append((time.perf_counter() - began) * 1000)
        return times


def _found(of: Filled) -> str:
    """Return the names of the checks that find rows.

    The first round would heal such rows, and the other rounds would not find them.
    """
    with of.used():
        return ", ".join(name for name, count in found().items() if count)


def _shown(times: list[float]) -> str:
    return f"{median(times):.1f}/{quantiles(times, n=20)[-1]:.1f}"
