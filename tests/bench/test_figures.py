"""The bench reports which figures are missed, and how sure that is."""

import pytest

from bench.figures import Figure, median_interval


@pytest.mark.parametrize(
    ("count", "interval"),
    [(1, (1, 1)), (5, (1, 5)), (6, (1, 6)), (8, (1, 8)), (9, (2, 8)), (21, (6, 16))],
)
def test_the_interval_holds_the_median_with_a_chance_of_95_percent(count: int, interval: tuple[int, int]) -> None:
    assert median_interval([float(number) for number in range(count, 0, -1)]) == interval


@pytest.mark.parametrize(
    ("between", "missed"), [(None, True), ((0.7, 0.84), True), ((0.7, 0.86), False), ((0.86, 0.9), False)]
)
def test_a_figure_is_missed_if_its_whole_interval_is(between: tuple[float, float] | None, *, missed: bool) -> None:
    assert Figure("web", "callback", 80, 100, "/s", "bare", least=0.85, between=between).missed is missed
