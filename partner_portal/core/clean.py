"""Cleaning of text, numbers and JSON from outside, once, where they enter: no code behind this can fail on them.

Both Altegio's answers (`integrations/altegio/answers.py`) and requests to the portal are cleaned here. The module
does not import Django, so that the Altegio client may use it.

    clean_text("a\\x00b\\ud83d")       "ab\\ufffd": what every database, log and page can hold
    clean_line(" a\\n b ", 80)        "a b": a name or a title, on one line, cut
    clean_json(value)                the same for everything in a JSON value, and no deeper than MAX_DEPTH
    parse_json(text)                 a JSON value so cleaned, what is deeper left out; numbers exact
    parse_json(text, strict=True)    as RFC 8259 says: no NaN, no control characters; TooDeepError for depth
    storable_json(value)             the same value for a JSON column: decimals as text
    parse_as_written(text)           strict, each number as the text that came: signatures are made of it
    utf8(body)                       the text of a body, with or without a byte order mark
    read_number("1E+9")              an int or a Decimal of a sane size, else None

A number that is not of a sane size stays the text that came: its reader decides what a text means there.
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
# Numbers of up to this many characters need no check of their size.
SHORT = 18

REPLACEMENT = "\ufffd"
_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")
_SURROGATE = re.compile("[\ud800-\udfff]")
# The JSON escapes that may produce one of these characters.
_UNWANTED_ESCAPE = re.compile(r"\\(?:[bf]|u(?:00[01]|007[fF]|00[89]|[dD][89a-fA-F]))")
_NUMBER = re.compile(r"\s*+[+-]?(\d++(\.\d*+)?|\.\d++)([eE][+-]?\d++)?\s*+", re.ASCII)


class InvalidJsonError(ValueError):
    """Raised when a text is not a JSON value; `str()` says why."""


class TooDeepError(InvalidJsonError):
    """Raised when lists and objects are nested more than MAX_DEPTH deep."""

    def __init__(self) -> None:
        super().__init__(f"The JSON is nested more than {MAX_DEPTH} deep, or its brackets are not closed.")


class TooManyValuesError(InvalidJsonError):
    """Raised when the text contains more than MAX_VALUES values."""

    def __init__(self) -> None:
        super().__init__(f"The JSON holds more than {MAX_VALUES} values.")


def refuse_too_many_values(text: str) -> None:
    """Raise TooManyValuesError if the text has too many values; for endpoints with large bodies, before parsing."""
    if has_too_many_values(text):
        raise TooManyValuesError


def clean_text(text: str) -> str:
    """Remove NUL and control characters except tabs and line ends; replace halves of surrogate pairs by U+FFFD."""
    if text.isascii() and text.isprintable():
        return text
    return _SURROGATE.sub(REPLACEMENT, _UNWANTED.sub("", text))


def clean_line(text: str, most: int) -> str:
    """Return `text` on one line, with single spaces between its words, cut to `most` characters."""
    return " ".join(clean_text(text).split())[:most].rstrip()


def clean_json(value: Any) -> Any:
    """Return a JSON value with all its texts and names cleaned. Raises TooDeepError."""
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
    """Return a clean JSON value in a form that every JSON column can store: decimals become exact texts."""
    if isinstance(value, dict):
        return {name: storable_json(item) for name, item in value.items()}
    if isinstance(value, list):
        return [storable_json(item) for item in value]
    return str(value) if isinstance(value, Decimal) else value


def parse_json(text: str, *, strict: bool = False) -> Any:
    """Parse `text` and return the clean JSON value, with exact decimals. Raises InvalidJsonError.

    Unless `strict`, NaN, Infinity and values that are nested too deep become null, and raw control characters in
    texts are dropped.
    """
    if not strict and is_too_deep(text):
        return _parse_deep(text)
    value = decode(_STRICT if strict else LENIENT, text)
    return value if _is_clean(text) else clean_json(value)


def _parse_deep(text: str) -> Any:
    """Parse `text` without the values that are nested too deep. Raises TooDeepError if Python's parser cannot."""
    try:
        return _clean(LENIENT.decode(text), MAX_DEPTH, prune=True)
    except RecursionError:
        raise TooDeepError from None
    except ValueError as error:
        raise InvalidJsonError(f"This is not JSON: {error}.") from None


def parse_as_written(text: str) -> Any:
    """Parse strict JSON (RFC 8259), clean it and keep each number as the text that came. Raises InvalidJsonError."""
    value = decode(_AS_WRITTEN, text)
    return value if _is_clean(text) else clean_json(value)


def parse_unclean(text: str) -> Any:
    """Parse strict JSON without cleaning it, for callers that clean or refuse its texts. Raises InvalidJsonError."""
    return decode(_STRICT, text)


def decode(decoder: json.JSONDecoder, text: str) -> Any:
    """Parse `text` with `decoder`, without cleaning. Raises InvalidJsonError; the depth is checked first."""
    if is_too_deep(text):
        raise TooDeepError
    try:
        return decoder.decode(text)
    except InvalidJsonError:
        raise
    except ValueError as error:
        raise InvalidJsonError(f"This is not JSON: {error}.") from None


def utf8(body: bytes) -> str:
    """Decode the body, without the byte order mark that some programs put first. Raises InvalidJsonError."""
    try:
        return body.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise InvalidJsonError("This is not text in UTF-8.") from None


def _is_clean(text: str) -> bool:
    """Return whether no character in the text needs cleaning, so that most bodies skip the slow cleaning."""
    return not (_UNWANTED_ESCAPE.search(text) or _UNWANTED.search(text) or _SURROGATE.search(text))


def read_number(text: str) -> int | Decimal | None:
    """Return a decimal number of a sane size exactly; None for any other text, also NaN and Infinity."""
    if len(text) > MAX_NUMBER_TEXT or not _NUMBER.fullmatch(text):
        return None
    try:
        number = Decimal(text.strip())
    except InvalidOperation:  # the exponent does not fit a machine integer
        return None
    if len(number.as_tuple().digits) > MAX_DIGITS or abs(number.adjusted()) > MAX_EXPONENT:
        return None
    return number if _is_fraction(text) else int(text)


def _is_fraction(text: str) -> bool:
    return not text.strip().lstrip("+-").isdigit()


def integer(text: str) -> int | Decimal | str:
    """Parse a whole number exactly, for JSON decoders; one that is not of a sane size stays the text."""
    return int(text) if len(text) <= SHORT else _number(text)


def fraction(text: str) -> int | Decimal | str:
    """Parse any other number as an exact decimal, for JSON decoders; one not of a sane size stays the text."""
    return Decimal(text) if len(text) <= SHORT and text.isascii() and "e" not in text.lower() else _number(text)


def _number(text: str) -> int | Decimal | str:
    number = read_number(text)
    return text if number is None else number


def no_constant(name: str) -> None:
    """Raise InvalidJsonError for NaN and Infinity, for strict JSON decoders."""
    raise InvalidJsonError(f"{name} is not JSON.")


def _nothing(_name: str) -> None:
    """Return None: NaN and Infinity are read as an unknown number."""


_STRICT = json.JSONDecoder(parse_float=fraction, parse_int=integer, parse_constant=no_constant)
LENIENT = json.JSONDecoder(parse_float=fraction, parse_int=integer, parse_constant=_nothing, strict=False)
_AS_WRITTEN = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=no_constant)
