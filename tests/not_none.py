"""What a test knows to be there, though its type says that it may be missing."""

from typing import TypeVar

Value = TypeVar("Value")


def not_none(value: Value | None) -> Value:
    """`value`, which the test fails without."""
    assert value is not None
    return value
