"""Text, numbers and JSON from outside, made clean once, where they enter: nothing behind this can stumble over them.

The one place for both directions: what Altegio answers (`integrations/altegio/answers.py`) and what is sent to the
portal. Knows no Django, so that the client of Altegio may use it.

    clean_text("a\\x00b\\ud83d")       "ab\\ufffd": what every database, log and page can hold
    clean_line(" a\\n b ", 80)        "a b": a name or a title, on one line, cut
    clean_json(value)                the same for everything in a JSON value, and no deeper than MOST_DEPTH
    parse_json(text)                 a JSON value so cleaned; numbers exact. Raises NotJson (TooDeep is one)
    parse_json(text, strict=True)    by the letter of RFC 8259: no NaN, no raw control characters
    read_number("1E+9")              an int or a Decimal of a sane size, else None

A number that is not of a sane size stays the text that came: whoever reads it decides what a text means there.
"""

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any

# Deeper than anything that is meant; half of what Python's own reader can bear.
MOST_DEPTH = 100
# A double has 17 digits and an exponent of 308; money and ids have fewer.
MOST_DIGITS = 60
MOST_EXPONENT = 400
MOST_NUMBER_TEXT = 100
# Numbers up to so many characters need no judging.
SHORT = 18

REPLACEMENT = "\ufffd"
_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)


class NotJson(ValueError):
    """The text is no JSON value; `str()` says why."""


class TooDeep(NotJson):
    """Lists and objects stand in each other more than MOST_DEPTH deep."""


def clean_text(text: str) -> str:
    """`text` without NUL and control characters (tabs and line ends stay); halves of surrogate pairs are replaced."""
    if text.isascii() and text.isprintable():
        return text
    return _SURROGATE.sub(REPLACEMENT, _UNWANTED.sub("", text))


def clean_line(text: str, most: int) -> str:
    """`text` on one line, single spaces between its words, cut to `most` characters."""
    return " ".join(clean_text(text).split())[:most].rstrip()


def clean_json(value: Any) -> Any:
    """A JSON value with all its texts and names clean. Raises TooDeep."""
    return _clean(value, MOST_DEPTH)


def _clean(value: Any, depth_left: int) -> Any:
    if isinstance(value, str):
        return clean_text(value)
    if not isinstance(value, list | dict):
        return value
    if not depth_left:
        raise TooDeep(f"The JSON is nested more than {MOST_DEPTH} deep.")
    if isinstance(value, list):
        return [_clean(item, depth_left - 1) for item in value]
    return {clean_text(str(name)): _clean(item, depth_left - 1) for name, item in value.items()}


def parse_json(text: str, *, strict: bool = False) -> Any:
    """The clean JSON value that `text` holds, its decimals exact. Raises NotJson.

    Unless `strict`, NaN and Infinity are read as null, and raw control characters in texts are dropped.
    """
    try:
        value = (_STRICT if strict else _LENIENT).decode(text)
    except RecursionError:
        raise TooDeep(f"The JSON is nested more than {MOST_DEPTH} deep.") from None
    except ValueError as error:
        raise NotJson(str(error)) from None
    return value if _needs_no_cleaning(text) else clean_json(value)


def _needs_no_cleaning(text: str) -> bool:
    """So most bodies are read at the speed of the reader: no escape that makes a bad character, and not deep."""
    if text.count("{") + text.count("[") > MOST_DEPTH or "\\u" in text or "\\b" in text or "\\f" in text:
        return False
    return not (_UNWANTED.search(text) or _SURROGATE.search(text))


def read_number(text: str) -> int | Decimal | None:
    """A decimal number of a sane size as it is written; None for any other text (also NaN and Infinity)."""
    if len(text) > MOST_NUMBER_TEXT or not _NUMBER.fullmatch(text):
        return None
    try:
        number = Decimal(text.strip())
    except InvalidOperation:  # an exponent of more digits than a machine's number
        return None
    if len(number.as_tuple().digits) > MOST_DIGITS or abs(number.adjusted()) > MOST_EXPONENT:
        return None
    return number if _is_fraction(text) else int(text)


def _is_fraction(text: str) -> bool:
    return not text.strip().lstrip("+-").isdigit()


def _integer(text: str) -> int | Decimal | str:
    return int(text) if len(text) <= SHORT else _number(text)


def _fraction(text: str) -> int | Decimal | str:
    return Decimal(text) if len(text) <= SHORT and text.isascii() and "e" not in text.lower() else _number(text)


def _number(text: str) -> int | Decimal | str:
    number = read_number(text)
    return text[:MOST_NUMBER_TEXT] if number is None else number


def _no_constant(name: str) -> None:
    raise NotJson(f"{name} is not JSON.")


def _nothing(_name: str) -> None:
    """NaN and Infinity: a number that is not known."""


_STRICT = json.JSONDecoder(parse_float=_fraction, parse_int=_integer, parse_constant=_no_constant)
_LENIENT = json.JSONDecoder(parse_float=_fraction, parse_int=_integer, parse_constant=_nothing, strict=False)
