"""Texts for staff only: they are in English, whatever language the browser asks for.

A module imports `_` from here if staff read its texts, and from Django if owners do. The catalogues contain the texts
that Django's functions mark, so that no list of modules is needed.
"""


def english(text: str) -> str:
    """Return the text unchanged."""
    return text


def english_plural(one: str, many: str, count: int) -> str:
    """Return `one` if `count` is 1, else `many`."""
    return one if count == 1 else many
