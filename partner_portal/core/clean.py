"""Text, numbers and JSON from outside, made clean once, where they enter: nothing behind this can stumble over them.

The one place for both directions: what Altegio answers (`integrations/altegio/answers.py`) and what is sent to the
portal. Knows no Django, so that the client of Altegio may use it.

    clean_text("a\\x00b\\ud83d")       "ab\\ufffd": what every database, log and page can hold
    clean_line(" a\\n b ", 80)        "a b": a name or a title, on one line, cut
    clean_json(value)                the same for everything in a JSON value, and no deeper than MAX_DEPTH
    parse_json(text)                 a JSON value so cleaned, what is deeper left out; numbers exact
    parse_json(text, strict=True)    as RFC 8259 says: no NaN, no control characters; TooDeepError for depth
    storable_json(value)             the same value for a JSON column: decimals as text
    parse_as_written(text)           strict, each number as the text that came: signatures are made of it
    utf8(body)                       the text of a body, with or without a byte order mark
    read_number("1E+9")              an int or a Decimal of a sane size, else None

A number that is not of a sane size stays the text that came: whoever reads it decides what a text means there.
"""

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any

from partner_portal.core.json_depth import MAX_DEPTH, MAX_VALUES, has_too_many_values, is_too_deep

# A double has 17 digits and an exponent of 308; money and ids have fewer.
MAX_DIGITS = 60
MAX_EXPONENT = 400
MAX_NUMBER_TEXT = 100
# Numbers up to so many characters need no judging.
SHORT = 18

REPLACEMENT = "\ufffd"
_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")
_SURROGATE = re.compile("[\ud800-\udfff]")
# The escapes that may make one of these characters.
_UNWANTED_ESCAPE = re.compile(r"\\(?:[bf]|u(?:00[01]|007[fF]|00[89]|[dD][89a-fA-F]))")
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)


class InvalidJsonError(ValueError):
    """The text is no JSON value; `str()` says why."""


class TooDeepError(InvalidJsonError):
    """Lists and objects stand in each other more than MAX_DEPTH deep."""

    def __init__(self) -> None:
        super().__init__(f"The JSON is nested more than {MAX_DEPTH} deep, or its brackets are not closed.")


class TooManyValuesError(InvalidJsonError):
    """The text holds more than MAX_VALUES values."""

    def __init__(self) -> None:
        super().__init__(f"The JSON holds more than {MAX_VALUES} values.")


def refuse_too_many_values(text: str) -> None:
    """For a door that takes large bodies, before the text is parsed. Raises TooManyValuesError."""
    if has_too_many_values(text):
        raise TooManyValuesError


def clean_text(text: str) -> str:
    """`text` without NUL and control characters (tabs and line ends stay); halves of surrogate pairs are replaced."""
    if text.isascii() and text.isprintable():
        return text
    return _SURROGATE.sub(REPLACEMENT, _UNWANTED.sub("", text))


def clean_line(text: str, most: int) -> str:
    """`text` on one line, single spaces between its words, cut to `most` characters."""
    return " ".join(clean_text(text).split())[:most].rstrip()


def clean_json(value: Any) -> Any:
    """A JSON value with all its texts and names clean. Raises TooDeepError."""
    return _clean(value, MAX_DEPTH, prune=False)


def _clean(value: Any, depth_left: int, *, prune: bool) -> Any:
    if isinstance(value, str):
        return clean_text(value)
    if not isinstance(value, list | dict):
        return value
    if not depth_left and prune:
        return None
    if not depth_left:
        raise TooDeepError
    if isinstance(value, list):
        return [_clean(item, depth_left - 1, prune=prune) for item in value]
    return {clean_text(str(name)): _clean(item, depth_left - 1, prune=prune) for name, item in value.items()}


def storable_json(value: Any) -> Any:
    """A clean JSON value as every JSON column takes it: decimals are texts, exact."""
    if isinstance(value, dict):
        return {name: storable_json(item) for name, item in value.items()}
    if isinstance(value, list):
        return [storable_json(item) for item in value]
    return str(value) if isinstance(value, Decimal) else value


def parse_json(text: str, *, strict: bool = False) -> Any:
    """The clean JSON value that `text` holds, its decimals exact. Raises InvalidJsonError.

    Unless `strict`, NaN, Infinity and what is nested too deep are read as null, and raw control characters in texts
    are dropped.
    """
    if not strict and is_too_deep(text):
        return _parse_deep(text)
    value = decode(_STRICT if strict else LENIENT, text)
    return value if _is_clean(text) else clean_json(value)


def _parse_deep(text: str) -> Any:
    """What stands not too deep. Raises TooDeepError for a depth that Python's own reader cannot bear."""
    try:
        return _clean(LENIENT.decode(text), MAX_DEPTH, prune=True)
    except RecursionError:
        raise TooDeepError from None
    except ValueError as error:
        raise InvalidJsonError(f"This is not JSON: {error}.") from None


def parse_as_written(text: str) -> Any:
    """The clean JSON value by the letter of RFC 8259, each number as the text that came. Raises InvalidJsonError."""
    value = decode(_AS_WRITTEN, text)
    return value if _is_clean(text) else clean_json(value)


def parse_unclean(text: str) -> Any:
    """The JSON value, its texts as they came: for who takes a text whole or not at all. Raises InvalidJsonError."""
    return decode(_STRICT, text)


def decode(decoder: json.JSONDecoder, text: str) -> Any:
    """What `decoder` reads, as it is written. Raises InvalidJsonError; the depth is looked at before."""
    if is_too_deep(text):
        raise TooDeepError
    try:
        return decoder.decode(text)
    except InvalidJsonError:
        raise
    except ValueError as error:
        raise InvalidJsonError(f"This is not JSON: {error}.") from None


def utf8(body: bytes) -> str:
    """The text, without the byte order mark that some programs put before it. Raises InvalidJsonError."""
    try:
        return body.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise InvalidJsonError("This is not text in UTF-8.") from None


def _is_clean(text: str) -> bool:
    """So most bodies are read at the speed of the reader: nothing in the text makes an unwanted character."""
    return not (_UNWANTED_ESCAPE.search(text) or _UNWANTED.search(text) or _SURROGATE.search(text))


def read_number(text: str) -> int | Decimal | None:
    """A decimal number of a sane size as it is written; None for any other text (also NaN and Infinity)."""
    if len(text) > MAX_NUMBER_TEXT or not _NUMBER.fullmatch(text):
        return None
    try:
        number = Decimal(text.strip())
    except InvalidOperation:  # an exponent of more digits than a machine's number
        return None
    if len(number.as_tuple().digits) > MAX_DIGITS or abs(number.adjusted()) > MAX_EXPONENT:
        return None
    return number if _is_fraction(text) else int(text)


def _is_fraction(text: str) -> bool:
    return not text.strip().lstrip("+-").isdigit()


def integer(text: str) -> int | Decimal | str:
    """For readers of JSON: a whole number, exact; one of no sane size stays the text."""
    return int(text) if len(text) <= SHORT else _number(text)


def fraction(text: str) -> int | Decimal | str:
    """For readers of JSON: any other number, as the decimal that its text says."""
    return Decimal(text) if len(text) <= SHORT and text.isascii() and "e" not in text.lower() else _number(text)


def _number(text: str) -> int | Decimal | str:
    number = read_number(text)
    return text if number is None else number


def no_constant(name: str) -> None:
    """For strict readers: NaN and Infinity are not JSON."""
    raise InvalidJsonError(f"{name} is not JSON.")


def _nothing(_name: str) -> None:
    """NaN and Infinity: a number that is not known."""


_STRICT = json.JSONDecoder(parse_float=fraction, parse_int=integer, parse_constant=no_constant)
LENIENT = json.JSONDecoder(parse_float=fraction, parse_int=integer, parse_constant=_nothing, strict=False)
_AS_WRITTEN = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=no_constant)
