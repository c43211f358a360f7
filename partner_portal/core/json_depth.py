"""How deep JSON is nested, found before a reader that calls itself for each bracket is let at it."""

import re

# Deeper than anything that is meant, and far from what Python's own reader can bear.
MAX_DEPTH = 100

_BRACKETS = bytes.maketrans(b"{}", b"[]")
_THE_REST = bytes(code for code in range(256) if code not in b'{}[]"\\')
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)


def is_too_deep(text: str) -> bool:
    """Whether lists and objects stand in each other more than MAX_DEPTH deep, or too many are never closed.

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
