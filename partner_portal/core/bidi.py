"""Names from strangers beside our words: whatever direction they run in, they turn nothing around them.

A name may hold characters that reverse what follows (U+202E), or simply be Arabic or Hebrew. In HTML it stands in
an element of its own direction (`isolated`); inside a plain text it loses those characters and gets the isolates of
Unicode (`embedded`). https://www.unicode.org/reports/tr9/
"""

import re
import unicodedata

from django.utils.html import format_html
from django.utils.safestring import SafeString

# Embeddings, overrides, isolates and their ends; the marks that merely hint at a direction may stay.
_CONTROLS = re.compile("[\u202a-\u202e\u2066-\u2069]")
_FIRST_STRONG_ISOLATE, _POP_ISOLATE = "\u2068", "\u2069"
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})


def isolated(text: object) -> SafeString:
    """The text as an HTML element with a direction of its own."""
    return format_html("<bdi>{}</bdi>", text)


def without_controls(text: str) -> str:
    """The text without the characters that turn around what follows them."""
    return _CONTROLS.sub("", text)


def embedded(text: str) -> str:
    """The text as it may stand inside a sentence: in a row's name, an alert, an e-mail's line."""
    plain = without_controls(text)
    if any(unicodedata.bidirectional(sign) in _RIGHT_TO_LEFT for sign in plain):
        return f"{_FIRST_STRONG_ISOLATE}{plain}{_POP_ISOLATE}"
    return plain
