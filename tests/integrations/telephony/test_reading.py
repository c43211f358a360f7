"""Data is read as exchanges send it: Asterisk, FreePBX, FreeSWITCH, 3CX, Twilio, Vonage, Zadarma, Binotel."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from integrations.telephony import parsing

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "region", "expected"),
    [
        ("+380671234567", None, "+380671234567"),
        (380671234567, "UA", "+380671234567"),
        ("0671234567", "UA", "+380671234567"),
        ("810380671234567", "RU", "+380671234567"),
        ("sip:+380671234567@host", None, "+380671234567"),
        ("sip:+380671234567;phone-context=x@10.0.0.1:5060;user=phone", None, "+380671234567"),
        ('"Anna Kovač" <sip:+385911234567@pbx.example>;tag=1', None, "+385911234567"),
        ("Anna <+385911234567>", None, "+385911234567"),
        ("tel:+44-20-7183-8750", None, "+442071838750"),
        ("+44 20 7183 8750 ext. 12", None, "+442071838750"),
        ("+442071838750x12", None, "+442071838750"),
        ("+442071838750;ext=12", None, "+442071838750"),
        ("8 (495) 123-45-67 доб. 5", "RU", "+74951234567"),
        ("  +44 20 7183 8750\n", None, "+442071838750"),
    ],
)
def test_a_number_is_read_from_what_stands_around_it(written: int | str, region: str | None, expected: str) -> None:
    assert parsing.read_client(written, region, inside=False) == expected


@pytest.mark.parametrize(
    "hidden",
    [
        None, "", " ", "anonymous", "Anonymous", "ANONYMOUS", "Restricted", "private", "<unknown>", "Unavailable",
        "withheld", "No Caller ID", "+266696687", "266696687", 266696687, "+7378742833", "anonymous@pbx",
        "sip:anonymous@anonymous.invalid", '"Anonymous" <sip:anonymous@anonymous.invalid>', "asterisk",
    ],
)  # fmt: skip
def test_a_caller_who_hides_has_no_number(hidden: int | str | None) -> None:
    assert parsing.read_client(hidden, "GB", inside=False) == ""


@pytest.mark.parametrize(
    ("written", "region"),
    [
        ("SIP/101-0000a1b2", None),
        ("PJSIP/kyivstar-00000a1f", "UA"),
        ("12345", "UA"),
        ("810380671234567", None),
        ("9161234567", None),
        ("101", None),
        ("+1", None),
        ("call me", "GB"),
        ("0800FLOWERS", "GB"),
        ({}, None),
        ([], None),
        (True, None),
        (Decimal("1.5"), None),
    ],
)
def test_no_number_is_made_up(written: Any, region: str | None) -> None:
    with pytest.raises(ValueError, match="Write a telephone number"):
        parsing.read_client(written, region, inside=False)


def test_an_extension_inside_the_company_is_read_from_its_channel() -> None:
    assert parsing.read_client("SIP/101-0000a1b2", None, inside=True) == "101"


@pytest.mark.parametrize(
    ("written", "line", "is_odd"),
    [
        ("+442071838750", "+442071838750", False),
        ("101", "101", False),
        (101, "101", False),
        ("sip:101@pbx", "101", False),
        ("SIP/101-0000a1b2", "101", False),
        ("s", "s", True),
        ("PJSIP/kyivstar-00000a1f", "kyivstar", True),
    ],
)
def test_a_line_is_a_number_or_an_extension(written: int | str, line: str, is_odd: bool) -> None:
    text, warning = parsing.read_line(written, "GB", {})
    assert (text, bool(warning)) == (line, is_odd)


@pytest.mark.parametrize("region", ["GB", None])
def test_the_error_of_a_wrong_line_mentions_extensions(region: str | None) -> None:
    with pytest.raises(ValueError, match=r"number.*or an extension: 101"):
        parsing.read_line("the desk!", region, {})


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        (65, 65),
        (0, 0),
        (Decimal("65.4"), 65),
        ("65", 65),
        ("65.4", 65),
        ("01:05", 65),
        ("00:01:05", 65),
        ("1:00:00", 3600),
    ],
)
def test_a_duration_is_read_as_seconds(written: Any, seconds: int) -> None:
    assert parsing.read_duration(written) == seconds


@pytest.mark.parametrize("written", [-1, "-1", True, "long", 10**9, Decimal("1E+300"), "1:2:3:4", [], "NaN"])
def test_a_duration_that_cannot_be_read_is_refused(written: Any) -> None:
    with pytest.raises(ValueError, match="Write seconds"):
        parsing.read_duration(written)


@pytest.mark.parametrize(
    "written",
    ["2026-03-01T13:00:00+01:00", "2026-03-01 12:00:00", NOON.timestamp().__int__(), "1772366400", 1772366400000,
     Decimal("1772366400.0")],
)  # fmt: skip
def test_a_moment_is_read_however_it_is_written(written: Any) -> None:
    assert parsing.read_date(written, "UTC") == NOON


def test_a_date_of_eight_digits_is_a_date() -> None:
    assert parsing.read_date("20260301", "UTC") == NOON.replace(hour=0)


@pytest.mark.parametrize("written", [0, -5, 12, Decimal("1E+99"), "yesterday", True, "99999999999999999999", []])
def test_a_moment_that_cannot_be_read_is_refused(written: Any) -> None:
    with pytest.raises(ValueError, match="Write a"):
        parsing.read_date(written, "UTC")


@pytest.mark.parametrize(
    ("written", "status"),
    [
        ("success", "success"),
        ("ANSWERED", "success"),
        ("NO ANSWER", "missed"),
        ("busy", "missed"),
        ("Cancel", "missed"),
    ],
)
def test_the_outcome_of_a_call_is_read(written: str, status: str) -> None:
    assert parsing.read_status(written) == status


def test_the_error_of_a_wrong_status_mentions_words_of_exchanges() -> None:
    with pytest.raises(ValueError, match=r"success or missed, or .* ANSWERED") as refusal:
        parsing.read_status("perhaps")
    assert "docs/telephony.md" in str(refusal.value)


@pytest.mark.parametrize(
    ("written", "call_id"), [(5, "5"), (Decimal("1763993400.1230"), "1763993400.1230"), ("x", "x")]
)
def test_a_call_id_is_what_is_written(written: Any, call_id: str) -> None:
    assert parsing.read_call_id(written) == call_id
