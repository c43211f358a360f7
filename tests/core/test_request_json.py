"""The JSON of a request is read exactly, or refused with the place of the error."""

from decimal import Decimal
from typing import Any

import pytest

from partner_portal.core.clean import InvalidJsonError, TooDeepError, TooManyValuesError
from partner_portal.core.json_depth import MAX_DEPTH, MAX_VALUES
from partner_portal.core.request_json import NotStorableError, parse_request
from tests.unkind_server import at_most


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b"0.00007", Decimal("0.00007")),
        (b"7e-05", Decimal("0.00007")),
        (b"0.30000000000000004", Decimal("0.30000000000000004")),
        (b"1763993400.1230", Decimal("1763993400.1230")),
        (b"1E+999999999999999999999", "1E+999999999999999999999"),
        (b"9" * 5000, "9" * 5000),
        (rb'"\ud83d\ude00 \\u0000"', "\U0001f600 \\u0000"),
        ('"Приве́т\x7f"'.encode(), "Приве́т\x7f"),
    ],
)
def test_valid_json_is_read_exactly(body: bytes, value: Any) -> None:
    read = parse_request(body)
    assert (read, type(read), str(read)) == (value, type(value), str(value))


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"\xff\xfe{\x00}\x00", "UTF-8"),
        (b"\xed\xa0\x80", "UTF-8"),
        (b'\xef\xbb\xbf\xef\xbb\xbf{"a": 1}', "not JSON"),
        (b"[NaN]", "NaN"),
        (b"[-Infinity]", "Infinity"),
        (b'{"a": "\x00"}', "not JSON"),
        (b"", "not JSON"),
        (b'[{"amount": 1, "b": 2, "amount": 3}]', "'amount' stands in the same object twice"),
        (rb'{"a": 1, "\u0061": 2}', "'a' stands in the same object twice"),
    ],
)
def test_a_refusal_is_explained_in_a_sentence(body: bytes, why: str) -> None:
    with pytest.raises(InvalidJsonError, match=why):
        parse_request(body)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (rb'"\u0000"', ()),
        (rb'[{"id": 1}, {"id": "a\ud83d"}]', ("1", "id")),
        (rb'{"a": {"b": ["\uDE00"]}}', ("a", "b", "0")),
        (rb'{"a": {"b\u0000": 1}}', ("a", "'b\\x00'")),
    ],
)
def test_text_that_no_database_stores_is_refused_with_its_place(body: bytes, path: Any) -> None:
    with pytest.raises(NotStorableError) as refused:
        parse_request(body)
    assert refused.value.path == path


@pytest.mark.parametrize("filler", [b"", b'"]]", ', rb'"\"[[[", ', rb'"\\", {"]": "}"}, ', b'"", "", '])
@pytest.mark.parametrize("opening", [b"[", b'{"a": '])
def test_brackets_inside_texts_do_not_count_as_depth(opening: bytes, filler: bytes) -> None:
    closing = b"]" if opening == b"[" else b"}"
    rows = filler * MAX_DEPTH + b"1"

    def body(depth: int) -> bytes:
        return b"[" + rows + b", " + opening * depth + b"1" + closing * depth + b"]"

    assert parse_request(body(MAX_DEPTH - 1))
    for depth in (MAX_DEPTH, 980, 90_000):
        with pytest.raises(TooDeepError):
            parse_request(body(depth))


def test_a_duplicate_among_many_names_is_found_quickly() -> None:
    names = [f'"name{number}":1' for number in range(90_000)]
    with at_most(2), pytest.raises(InvalidJsonError, match="'name89999' stands"):
        parse_request(f"{{{','.join([*names, names[-1]])}}}".encode())


def test_a_body_of_too_many_values_is_refused_before_it_is_read() -> None:
    assert parse_request(b"[" + b"1," * (MAX_VALUES - 2) + b"1]")
    with pytest.raises(TooManyValuesError):
        parse_request(b"[" + b"1," * MAX_VALUES + b"1]")
