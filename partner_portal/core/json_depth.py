"""Checks of how deep JSON is nested and how many values it has, made before it is parsed.

A parser recurses for each bracket and makes an object of each value, which for `[]` takes 30 times its size.
"""

import re

# Deeper than any real message, and far below the limit of Python's own parser.
MAX_DEPTH = 100
# Twice as many as the largest body has if its values are as long as Altegio's.
MAX_VALUES = 100_000

_BRACKETS = bytes.maketrans(b"{}", b"[]")
_THE_REST = bytes(code for code in range(256) if code not in b'{}[]"\\')
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)


def is_too_deep(text: str) -> bool:
    """Return whether lists and objects are nested more than MAX_DEPTH deep, or their brackets do not close.

    A text of MAX_DEPTH brackets or fewer always passes. Brackets that are not too deep are gone once all `[]` were
    removed MAX_DEPTH times, so the time is linear in the text.
    """
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return False
    written = text.encode("utf-8", "replace")
    brackets = written.translate(_BRACKETS, _THE_REST).replace(b'""', b"")
    if b'"' in brackets or b"\\" in brackets:
        # A string in it contains brackets or escapes, so whole strings are removed.
        brackets = _STRING.sub(b"", written).translate(_BRACKETS, _THE_REST)
    for _ in range(MAX_DEPTH):
        size = len(brackets)
        brackets = brackets.replace(b"[]", b"")
        if len(brackets) == size:
            break
    return bool(brackets)


def has_too_many_values(text: str) -> bool:
    """Return whether the text has more than MAX_VALUES values: one after each comma and one in each bracket."""
    if _count_values(text) <= MAX_VALUES:
        return False
    # Commas and brackets inside strings do not count.
    return _count_values(_STRING.sub(b"", text.encode("utf-8", "replace")).decode("utf-8", "replace")) > MAX_VALUES


def _count_values(text: str) -> int:
    return text.count(",") + text.count("[") + text.count("{") + 1
