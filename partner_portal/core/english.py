"""Texts that staff alone read: English, whatever language their browser asks for.

A module takes `_` from here where staff read its texts, and from Django where owners do. The catalogues hold the
texts that Django's functions mark, so that no list says whose a module is.
"""


def english(text: str) -> str:
    """The text as it is written."""
    return text


def english_plural(one: str, many: str, count: int) -> str:
    """The form of a text that belongs to `count`."""
    return one if count == 1 else many
