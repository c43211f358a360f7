"""Text, numbers and depth from outside are cleaned in one place."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partner_portal.core.clean import (
    InvalidJsonError,
    TooDeepError,
    clean_json,
    clean_line,
    clean_text,
    parse_json,
    read_number,
    storable_json,
)
from partner_portal.core.json_depth import MAX_DEPTH


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Салон «Аврора»", "Салон «Аврора»"),
        ("two\nlines\tand a tab\r\n", "two\nlines\tand a tab\r\n"),
        ("pay\x00ment\x0b\x7f\x9b", "payment"),
        ("half \ud83d an emoji, half \ude00", "half \ufffd an emoji, half \ufffd"),
        ("a whole one \U0001f600", "a whole one \U0001f600"),
    ],
)
def test_text_loses_what_no_database_or_page_can_hold(text: str, clean: str) -> None:
    assert clean_text(text) == clean


def test_a_line_is_one_line_and_is_cut() -> None:
    assert clean_line(" Salon\r\n\u2028 of\x00 Emma ", 11) == "Salon of Em"
    assert clean_line("one two", 4) == "one"


@given(st.text(alphabet=st.characters(), max_size=40))
def test_clean_text_can_always_be_stored(text: Any) -> None:
    encoded = clean_text(text).encode()
    assert b"\x00" not in encoded
    assert clean_text(encoded.decode()) == encoded.decode()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.30000000000000004", Decimal("0.30000000000000004")),
        ("990.00", Decimal("990.00")),
        ("-7", -7),
        ("1e3", Decimal("1E+3")),
        ("123456789012345678901234567890", 123456789012345678901234567890),
        ("1E+999999999999999999999", "1E+999999999999999999999"),
        ("1E+9999", "1E+9999"),
        ("9" * 5000, "9" * 5000),
        ("NaN", None),
        ("-Infinity", None),
        ('"\\ud83d"', "\ufffd"),
        ('"\\ud83d\\ude00"', "\U0001f600"),
        ('{"a\\u0000b": ["\\u0000"]}', {"ab": [""]}),
        ('"a raw \x01 control"', "a raw  control"),
    ],
)
def test_json_is_read_clean_and_exact(text: str, value: Any) -> None:
    read = parse_json(text)
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize("text", ["NaN", '"\x01"', "{", "", "[1,]", '{"a":' * 5000])
def test_json_that_breaks_the_standard_is_refused(text: str) -> None:
    with pytest.raises(InvalidJsonError):
        parse_json(text, strict=True)


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_the_depth_limit_does_not_depend_on_the_caller(opening: str) -> None:
    closing = "]" if opening == "[" else "}"
    deepest = opening * MAX_DEPTH + "1" + closing * MAX_DEPTH
    assert json.dumps(parse_json(deepest, strict=True)).count("1") == 1
    for depth in (MAX_DEPTH + 1, 980, 20_000):
        with pytest.raises(TooDeepError):
            parse_json(opening * depth + "1" + closing * depth, strict=True)


def test_one_deep_row_does_not_spoil_the_others() -> None:
    rows = parse_json('[{"id": 1, "title": ' + "[" * 200 + "]" * 200 + '}, {"id": 2}]')
    assert [row["id"] for row in rows] == [1, 2]


def test_a_json_column_gets_decimals_as_text() -> None:
    assert storable_json(parse_json('{"a": [0.10, 1]}')) == {"a": ["0.10", 1]}


def test_a_value_made_elsewhere_is_cleaned_the_same() -> None:
    assert clean_json({"a\x00": ["\udc00", 1, None]}) == {"a": ["\ufffd", 1, None]}
    with pytest.raises(TooDeepError):
        clean_json(json.loads("[" * 150 + "]" * 150))


@pytest.mark.parametrize(
    "text", ["", "x", "1_000", "٣", "0x10", "NaN", "inf", "1e401", "1e-401", "9" * 61, " " * 200 + "1"]
)
def test_numbers_of_an_absurd_size_are_refused(text: str) -> None:
    assert read_number(text) is None
