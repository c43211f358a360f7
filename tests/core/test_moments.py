"""One parser reads dates and times, with limits on both sides."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partner_portal.core.datetimes import InvalidDatetimeError, read_moment, write_moment

NOON = datetime(2026, 1, 31, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31T12:00:00+01:00",
        "2026-01-31T12:00:00+0100",
        "2026-01-31 12:00+01",
        "2026-01-31t11:00:00z",
        "2026-01-31T11:00:00.000Z",
        "2026-01-31T11:00:00,000000000Z",
        "20260131T110000Z",
        " 2026-01-31 11:00:00 Z ",
        "2026-01-30T23:00:00-12:00",
    ],
)
def test_the_same_moment_however_it_is_written(text: str) -> None:
    assert read_moment(text) == NOON
    assert read_moment(text).tzinfo is UTC


def test_without_a_zone_it_is_read_in_the_one_given() -> None:
    assert read_moment("2026-01-31 12:00:00", "Europe/Budapest") == NOON
    assert read_moment("2026-01-31", "UTC") == datetime(2026, 1, 31, tzinfo=UTC)
    for text in ("2026-01-31 12:00:00", "2026-01-31"):
        with pytest.raises(InvalidDatetimeError, match="with its zone"):
            read_moment(text)


@pytest.mark.parametrize(
    "text",
    [
        "9999-12-31",
        "9999-12-31T23:59:59-14:00",
        "0001-01-01",
        "0001-01-01T00:00:00+14:00",
        "1969-12-31T23:59:59Z",
        "2200-01-01T00:00:00Z",
    ],
)
def test_a_moment_too_far_away_is_refused_with_an_explanation(text: str) -> None:
    with pytest.raises(InvalidDatetimeError, match="between 1970 and 2199"):
        read_moment(text, "Asia/Tokyo")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        None,
        1767225600,
        True,
        ["2026-01-31"],
        "2026-02-30T12:00:00Z",
        "2026-01-31T24:30:00Z",
        "2026-01-31T12:00:60Z",
        "2026-01-31T12:00:00+01:16:20",
        "2026-01-31T12:00:00+24:00",
        "2026-01-31x12:00:00Z",
        "2026-W05-6",
        "٢٠٢٦-01-31T12:00:00Z",
        "2026-01-31T12:00:00Z\x00",
        "0000-00-00 00:00:00",
        "20260131T12:00:00Z12:00",
    ],
)
def test_an_invalid_moment_is_refused(text: Any) -> None:
    with pytest.raises(InvalidDatetimeError):
        read_moment(text, "UTC")


def test_a_moment_is_written_in_a_zone_without_seconds_in_the_offset() -> None:
    assert write_moment(NOON, "Europe/Budapest") == "2026-01-31T12:00:00+01:00"
    assert write_moment(NOON.replace(year=1971), "Africa/Monrovia") == "1971-01-31T11:00:00+00:00"
    assert write_moment(NOON, "Africa/Monrovia") == "2026-01-31T11:00:00+00:00"


@given(st.text(alphabet="0123456789-+:TZ ., ", max_size=32))
def test_no_text_raises_anything_else_and_days_around_it_exist(text: Any) -> None:
    try:
        moment = read_moment(text, "Africa/Monrovia")
    except InvalidDatetimeError:
        return
    assert moment - timedelta(days=400) < moment + timedelta(days=400)
