"""A check for a value that a test knows to exist although its type says that it may be missing."""

from typing import TypeVar

Value = TypeVar("Value")


def not_none(value: Value | None) -> Value:
    """Return `value`; fail the test if it is None."""
    assert value is not None
    return value
