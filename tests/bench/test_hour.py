"""A short hour at Altegio's limit shows at a hundredth of the size what `python -m bench.hour` shows."""

import pytest

from bench.simulated import Report, Scenario, bursts, simulate

pytestmark = pytest.mark.django_db
WINDOW, PER_MINUTE = 300, 20


def live_through(locations: int) -> Report:
    arrivals = bursts(locations, chain_size=11, window=WINDOW)
    return simulate(Scenario(arrivals, everyday=3, window=WINDOW, per_minute=PER_MINUTE))


def keeps_the_limit(report: Report) -> bool:
    return report.busiest_second <= 5 and report.busiest_minute <= PER_MINUTE


def share_of_others(report: Report) -> int:
    """Return how many calls other than notifications went before an activation."""
    return sum(count for kind, count in report.overtaken.items() if kind != "notification")


def test_every_deadline_that_can_be_met_is_met_and_the_rest_follows() -> None:
    report = live_through(44)
    assert (report.missed, report.least_missed) == ([], 0)
    assert keeps_the_limit(report)
    others = {kind: figures.expired for kind, figures in report.by_kind.items() if kind != "call_notification"}
    assert set(others.values()) == {0}


def test_too_many_arrivals_miss_as_few_deadlines_as_possible_and_those_of_the_latest() -> None:
    report = live_through(110)
    assert report.least_missed > 0
    assert share_of_others(report) <= report.calls // 5
    assert report.given_away <= PER_MINUTE // 5 + share_of_others(report)
    assert report.missed_that_came_before_met == 0
    assert keeps_the_limit(report)
    assert report.alerts["window"] >= len(report.missed)
