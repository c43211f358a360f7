"""How deep JSON is nested and how much it holds, found before a reader is let at it.

A reader calls itself for each bracket, and makes an object of each value: of `[]` one of 30 times its size.
"""

import re

# Deeper than anything that is meant, and far from what Python's own reader can bear.
MAX_DEPTH = 100
# Twice what the largest body holds whose values are as long as Altegio's.
MAX_VALUES = 100_000

_BRACKETS = bytes.maketrans(b"{}", b"[]")
_THE_REST = bytes(code for code in range(256) if code not in b'{}[]"\\')
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)


def is_too_deep(text: str) -> bool:
    """Return whether lists and objects stand in each other more than MAX_DEPTH deep, or too many are never closed.

    Linear in the text: what is not deeper is empty once all `[]` were taken out of it MAX_DEPTH times.
    """
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return False
    written = text.encode("utf-8", "replace")
    brackets = written.translate(_BRACKETS, _THE_REST).replace(b'""', b"")
    if b'"' in brackets or b"\\" in brackets:
        # A text in it holds brackets or escapes, so the texts are taken out whole.
        brackets = _STRING.sub(b"", written).translate(_BRACKETS, _THE_REST)
    for _ in range(MAX_DEPTH):
        size = len(brackets)
        brackets = brackets.replace(b"[]", b"")
        if len(brackets) == size:
            break
    return bool(brackets)


def has_too_many_values(text: str) -> bool:
    """Whether more than MAX_VALUES values stand in the text: what commas part, and the first in each bracket."""
    if _count_values(text) <= MAX_VALUES:
        return False
    # Commas and brackets may stand in its texts.
    return _count_values(_STRING.sub(b"", text.encode("utf-8", "replace")).decode("utf-8", "replace")) > MAX_VALUES


def _count_values(text: str) -> int:
    return text.count(",") + text.count("[") + text.count("{") + 1
