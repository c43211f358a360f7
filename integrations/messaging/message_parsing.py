"""Validation of Altegio's requests to send a message (docs/altegio.md §4a); each field is required.

No source shows the names inside `destination_params`, and two sources differ in one name outside it, so every variant
is read. Lines are cleaned before they are validated. Each destination is validated alone, so that one bad number
stops no other message.
"""

import unicodedata
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import (
    AliasChoices,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    TypeAdapter,
    ValidationError,
)
from pydantic_core import ErrorDetails
from typing_extensions import TypedDict

from integrations.messaging.parsing import MessageId
from integrations.messaging.status_addresses import InvalidStatusAddressError, Target, read_target
from partner_portal.core.bounded_body import HttpError
from partner_portal.core.clean import clean_line

MAX_NAMED = 5
_OF_TWO_NAMES = frozenset({"id", "send_id", "phone", "phone_number", "type", "channel"})
# The limit in characters for all messages of one request, because the text is stored once for each number.
MAX_TEXTS = 4_000_000
_ID, _PHONE = "Write the send id: 1 to 100 characters.", "Write the number: 1 to 40 characters."
_CHANNEL = "Write the channel, like sms: 1 to 40 characters."
ADVICE = {
    "destination_params": "Write an object with an id and a phone, or a list of them.",
    **dict.fromkeys(("id", "send_id"), _ID),
    **dict.fromkeys(("phone", "phone_number"), _PHONE),
    "from": "Write the sender name: at most 100 characters.",
    "text": "Write the text of the message.",
    **dict.fromkeys(("type", "channel"), _CHANNEL),
    "dispatch_type": "Write service or adds: at most 40 characters.",
    "delivery_callback_url": "Write the address for the statuses.",
}


def _without_nulls(value: object) -> object:
    """Return an object without the nulls of fields with two names, so that the other name counts."""
    if not isinstance(value, dict):
        return value
    return {name: field for name, field in value.items() if field is not None or name not in _OF_TWO_NAMES}


def _listed(value: object) -> object:
    return value if isinstance(value, list) else [value]


def _as_text(value: object) -> object:
    """Convert a JSON integer to text; return anything else unchanged."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _cleaned(value: object) -> object:
    """Return a text on one line without invisible format characters, which copied numbers and names contain."""
    if not isinstance(value, str):
        return value
    shown = value if value.isascii() else "".join(sign for sign in value if unicodedata.category(sign) != "Cf")
    return clean_line(shown, len(shown))


_CLEANED = BeforeValidator(_cleaned)
_MAY_BE_BLANK = BeforeValidator(lambda value: "" if value is None else _cleaned(value))


def _line(most: int, least: int = 1) -> Any:
    """Return a pydantic field for a text of `least` to `most` characters."""
    return Field(min_length=least, max_length=most)


class Destination(TypedDict):
    """A phone number, and Altegio's id of the message to it."""

    __pydantic_config__ = ConfigDict(strict=True)  # type: ignore[misc]

    id: Annotated[MessageId, Field(validation_alias=AliasChoices("id", "send_id"))]
    phone: Annotated[
        str,
        _CLEANED,
        BeforeValidator(_as_text),
        _line(40),
        Field(validation_alias=AliasChoices("phone", "phone_number")),
    ]


_DESTINATION: TypeAdapter[Destination] = TypeAdapter(Destination)
_ID_ALONE: TypeAdapter[str | int] = TypeAdapter(MessageId, config=ConfigDict(strict=True))


@dataclass(frozen=True)
class UnreadableDestination:
    """A destination for which no message can be stored; `id` is None if it cannot be read either."""

    id: str | int | None
    problems: list[ErrorDetails]

    @property
    def why(self) -> str:
        """The advice on what to write instead."""
        return _advice(self.problems)


AnyDestination = Destination | UnreadableDestination


def _read_alone(value: object) -> AnyDestination:
    value = _without_nulls(value)
    try:
        return _DESTINATION.validate_python(value)
    except ValidationError as error:
        return UnreadableDestination(_read_id(value), error.errors(include_url=False, include_input=False))


def _read_id(value: object) -> str | int | None:
    named = value if isinstance(value, dict) else {}
    try:
        return _ID_ALONE.validate_python(named.get("id", named.get("send_id")))
    except ValidationError:
        return None


class MessageRequest(TypedDict):
    """A text for one or more numbers."""

    __pydantic_config__ = ConfigDict(strict=True)  # type: ignore[misc]

    destination_params: Annotated[
        list[Annotated[AnyDestination, PlainValidator(_read_alone)]], BeforeValidator(_listed), Field(min_length=1)
    ]
    sender_name: Annotated[str, _MAY_BE_BLANK, _line(100, 0), Field(validation_alias="from")]
    text: Annotated[str, Field(pattern=r"\S")]
    channel: Annotated[str, _CLEANED, _line(40), Field(validation_alias=AliasChoices("type", "channel"))]
    category: Annotated[str, _MAY_BE_BLANK, _line(40, 0), Field(validation_alias="dispatch_type")]
    delivery_callback_url: Annotated[Target, PlainValidator(read_target)]


_REQUEST = TypeAdapter(MessageRequest)


def read_message_request(body: object) -> MessageRequest:
    """Return the validated request. Raises HttpError 400, which names the wrong fields but never their values."""
    try:
        request = _REQUEST.validate_python(_without_nulls(body))
    except ValidationError as error:
        raise HttpError(400, _advice(error.errors(include_url=False, include_input=False))) from None
    destinations = request["destination_params"]
    unreadable = [item for item in destinations if isinstance(item, UnreadableDestination)]
    if len(unreadable) == len(destinations) and all(item.id is None for item in unreadable):
        places = [("destination_params", number) for number in range(MAX_NAMED)]
        whys = (_advice(item.problems, place) for place, item in zip(places, unreadable, strict=False))
        raise HttpError(400, " ".join(whys))
    if len(destinations) * len(request["text"]) > MAX_TEXTS:
        raise HttpError(400, "destination_params: So long a text goes to fewer numbers at once.")
    return request


def _advice(problems: list[ErrorDetails], place: tuple[str | int, ...] = ()) -> str:
    return " ".join(dict.fromkeys(_problem((*place, *problem["loc"]), problem) for problem in problems[:MAX_NAMED]))


def _problem(loc: tuple[str | int, ...], problem: ErrorDetails) -> str:
    """Return the advice for one problem, after the field's path: `destination_params.0.phone: Write …`."""
    places = [str(part) for part in loc if isinstance(part, int) or part in ADVICE]
    if not places:
        return "The body is not a JSON object."
    error = problem.get("ctx", {}).get("error")
    named = next(part for part in reversed(places) if part in ADVICE)
    return f"{'.'.join(places)}: {error if isinstance(error, InvalidStatusAddressError) else ADVICE[named]}"
