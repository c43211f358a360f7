"""Times and ids are read and written as Altegio does (docs/altegio.md §0)."""

from datetime import UTC, datetime
from typing import Any

import pytest

from integrations.altegio.wire import from_wire, parse_id, to_wire

TEN = datetime(2026, 11, 24, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "written"), [("UTC", "2026-11-24 10:00:00"), ("Europe/Kyiv", "2026-11-24 12:00:00")]
)
def test_a_moment_goes_out_and_comes_back_in_the_zone_of_the_wire(zone: str, written: str) -> None:
    assert to_wire(TEN, zone) == written
    assert from_wire(written, zone) == TEN


def test_a_moment_without_a_zone_is_not_sent() -> None:
    with pytest.raises(ValueError, match="zone"):
        to_wire(datetime(2026, 11, 24, 10), "UTC")  # noqa: DTZ001 - the fault itself


def test_a_moment_with_its_own_zone_is_taken_as_it_stands() -> None:
    assert from_wire("2026-11-24T12:00:00+02:00", "America/New_York") == TEN


@pytest.mark.parametrize("written", [None, "", "0000-00-00 00:00:00", "yesterday", 17, {}, []])
def test_an_invalid_moment_is_none(written: Any) -> None:
    assert from_wire(written, "UTC") is None


@pytest.mark.parametrize(("written", "number"), [(7, 7), ("7", 7), ("007", 7), (10**18 - 1, 10**18 - 1)])
def test_an_id_is_a_number_or_its_text(written: int | str, number: int) -> None:
    assert parse_id(written) == number


@pytest.mark.parametrize("written", [0, -1, "0", "", "x", "1.0", 1.0, True, None, 10**18, "1" * 19, "７", " 7"])
def test_anything_else_is_no_id(written: object) -> None:
    assert parse_id(written) is None
