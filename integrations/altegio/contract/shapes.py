"""Kinds of value that describe Altegio's JSON.

A kind accepts each spelling that docs/altegio.md names: numbers also come as text, an empty object as `[]`.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainValidator
from pydantic_core import PydanticCustomError

from integrations.altegio.wire import from_wire, parse_id
from partner_portal.core.clean import read_number

# The error types that `differences` reads.
OTHER_TYPE = "other_type"
OTHER_VALUE = "other_value"


class Shape(BaseModel):
    """An object with exactly the documented fields; a field without a default always comes."""

    model_config = ConfigDict(extra="forbid", strict=True)


class OpenShape(Shape):
    """An object whose documentation shows only its beginning: further fields are ignored."""

    model_config = ConfigDict(extra="ignore")


def one_of(*words: str) -> PlainValidator:
    """Return a validator for a text that is one of `words`."""
    known = frozenset(words)

    def check(value: Any) -> Any:
        if not isinstance(value, str):
            raise PydanticCustomError(OTHER_TYPE, "a text is expected")
        if value not in known:
            raise PydanticCustomError(OTHER_VALUE, "one of the documented words is expected")
        return value

    return PlainValidator(check)


def _kind(fits: Callable[[Any], bool], expected: str) -> PlainValidator:
    def check(value: Any) -> Any:
        if not fits(value):
            raise PydanticCustomError(OTHER_TYPE, "{expected} is expected", {"expected": expected})
        return value

    return PlainValidator(check)


def _is_number(value: Any) -> bool:
    if isinstance(value, str):
        return read_number(value) is not None
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | str) and not isinstance(value, bool) and bool(_WHOLE.fullmatch(str(value)))


_WHOLE = re.compile(r"-?\d{1,18}")
_FLAGS = frozenset({"0", "1", "true", "false"})

Text = Annotated[Any, _kind(lambda value: isinstance(value, str), "a text")]
Words = Annotated[Any, _kind(lambda value: isinstance(value, str | int), "a text or a number")]
Id = Annotated[Any, _kind(lambda value: parse_id(value) is not None, "an id")]
Whole = Annotated[Any, _kind(_is_whole, "a whole number")]
Number = Annotated[Any, _kind(_is_number, "a number")]
Flag = Annotated[Any, _kind(lambda value: str(value).lower() in _FLAGS, "a flag")]
Moment = Annotated[Any, _kind(lambda value: from_wire(value, "UTC") is not None, "a date-time")]
# PHP writes an empty object as a list.
EmptyListIsNone = BeforeValidator(lambda value: None if value == [] else value)
