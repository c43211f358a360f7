"""The JSON of a request to the API: taken as it is written, or refused with the place that is wrong.

Altegio's words are cleaned (`clean.py`), so that nothing of them is lost. What the partner's own systems send is not:
two ids that differ in one unwanted character would become one.
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

# The escapes of what no database holds, and the characters.
_ESCAPE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_NOT_STORABLE = re.compile("[\x00\ud800-\udfff]")
Path = tuple[str, ...]


class NotStorableError(InvalidJsonError):
    """A text or name holds what no database can hold; `path` leads to it, as in `("0", "id")`."""

    def __init__(self, path: Path) -> None:
        super().__init__("Write this without NUL characters and halves of characters.")
        self.path = path


class Unstorable:
    """Stands where a text was that no database can hold; no reader takes it for a value."""


def parse_request(body: bytes, *, mark: bool = False) -> Any:
    """The value, its decimals exact, and each number of no sane size as the text that came.

    Raises InvalidJsonError, also where an object names something twice or too many values stand in it, and
    NotStorableError; with `mark` an `Unstorable` stands in the place of each such text instead.
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
    """The value of a text that is meant as JSON, for a door where nothing may be lost for its form.

    NaN is null, control characters may stand in texts, and of what is named twice the last counts; what no database
    can hold is marked. Raises InvalidJsonError.
    """
    refuse_too_many_values(text)
    return marked(decode(LENIENT, text))


def is_storable(text: str) -> bool:
    """Return whether every database can hold this text."""
    return _NOT_STORABLE.search(text) is None


def marked(value: Any) -> Any:
    """The same value, with an `Unstorable` in the place of each text that no database can hold."""
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
