"""Isolation of foreign names in bidirectional text, so that they do not change the direction of words around them.

A name may contain characters that reverse what follows (U+202E), or simply be Arabic or Hebrew. In HTML it gets an
element with its own direction (`isolated`). In plain text it loses those characters and is wrapped in Unicode's
isolates (`embedded`). https://www.unicode.org/reports/tr9/
"""

import re
import unicodedata

from django.utils.html import format_html
from django.utils.safestring import SafeString

# Embeddings, overrides, isolates and their ends. Marks that merely hint at a direction may stay.
_CONTROLS = re.compile("[\u202a-\u202e\u2066-\u2069]")
_FIRST_STRONG_ISOLATE, _POP_ISOLATE = "\u2068", "\u2069"
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})


def isolated(text: object) -> SafeString:
    """Return the text as an HTML element with its own direction."""
    return format_html("<bdi>{}</bdi>", text)


def without_controls(text: str) -> str:
    """Return the text without the characters that change the direction of what follows them."""
    return _CONTROLS.sub("", text)


def embedded(text: str) -> str:
    """Return the text for use inside a plain sentence: a row's name, an alert, a line of an e-mail."""
    plain = without_controls(text)
    if any(unicodedata.bidirectional(sign) in _RIGHT_TO_LEFT for sign in plain):
        return f"{_FIRST_STRONG_ISOLATE}{plain}{_POP_ISOLATE}"
    return plain
