"""The JSON of API requests: texts are taken unchanged, or refused with the path to the wrong one.

Altegio's texts are cleaned (`clean.py`), so that no message is lost. Texts of the partner's own systems are not: two
ids that differ only in an unwanted character would become one.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from partner_portal.core.clean import (
    LENIENT,
    InvalidJsonError,
    decode,
    fraction,
    integer,
    no_constant,
    refuse_too_many_values,
    utf8,
)

# The escapes of characters that no database stores, and the characters themselves.
_ESCAPE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_NOT_STORABLE = re.compile("[\x00\ud800-\udfff]")
Path = tuple[str, ...]


class NotStorableError(InvalidJsonError):
    """Raised when a text or name has a character that no database can store; `path` leads to it: `("0", "id")`."""

    def __init__(self, path: Path) -> None:
        super().__init__("Write this without NUL characters and halves of characters.")
        self.path = path


class Unstorable:
    """A marker in place of a text that no database can store; no validator accepts it as a value."""


def parse_request(body: bytes, *, mark: bool = False) -> Any:
    """Parse strict JSON, with exact decimals; a number that is not of a sane size stays the text that came.

    Raises InvalidJsonError, also if an object has the same name twice or the body too many values. Raises
    NotStorableError for a text that no database can store; with `mark`, `Unstorable` replaces such a text instead.
    """
    text = utf8(body)
    refuse_too_many_values(text)
    value = decode(_REQUEST, text)
    if mark:
        return marked(value) if _ESCAPE.search(text) else value
    if _ESCAPE.search(text) and (path := next(_not_storable(value, ()), None)) is not None:
        raise NotStorableError(path)
    return value


def parse_leniently(text: str) -> Any:
    """Parse a text that is meant as JSON, for an endpoint that must lose no message because of its form.

    NaN becomes null, texts may contain control characters, and the last of equal names in an object counts.
    `Unstorable` replaces a text that no database can store. Raises InvalidJsonError.
    """
    refuse_too_many_values(text)
    return marked(decode(LENIENT, text))


def is_storable(text: str) -> bool:
    """Return whether every database can hold this text."""
    return _NOT_STORABLE.search(text) is None


def marked(value: Any) -> Any:
    """Return the value with an `Unstorable` in place of each text that no database can store."""
    if isinstance(value, str):
        return value if is_storable(value) else Unstorable()
    if isinstance(value, list):
        return [marked(item) for item in value]
    if isinstance(value, dict):
        return {name if is_storable(name) else ascii(name): marked(item) for name, item in value.items()}
    return value


def _not_storable(value: Any, path: Path) -> Iterator[Path]:
    if isinstance(value, str):
        if not is_storable(value):
            yield path
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _not_storable(item, (*path, str(index)))
    elif isinstance(value, dict):
        for name, item in value.items():
            if not is_storable(name):
                yield (*path, ascii(name))
            yield from _not_storable(item, (*path, name))


def _named_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    named = dict(pairs)
    if len(named) == len(pairs):
        return named
    twice, _times = Counter(name for name, _value in pairs).most_common(1)[0]
    raise InvalidJsonError(f"{ascii(twice)[:80]} stands in the same object twice: which of the two is meant?")


_REQUEST = json.JSONDecoder(
    object_pairs_hook=_named_once, parse_float=fraction, parse_int=integer, parse_constant=no_constant
)
