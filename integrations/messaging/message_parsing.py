"""Reading what Altegio asks the partner to send (docs/altegio.md §4a): each field is needed.

No source shows the names inside `destination_params`, and two sources differ in one name outside: each is read.
"""

from typing import Annotated, Any

from pydantic import AliasChoices, BeforeValidator, ConfigDict, Field, PlainValidator, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails
from typing_extensions import TypedDict

from integrations.messaging.parsing import MessageId
from integrations.messaging.status_addresses import InvalidStatusAddressError, Target, read_target
from partner_portal.core.bounded_body import HttpError

MAX_NAMED = 5
# Characters of all messages of one request: each number has its text stored.
MAX_TEXTS = 4_000_000
_ID, _PHONE = "Write the send id: 1 to 100 characters.", "Write the number: 1 to 40 characters."
_CHANNEL = "Write the channel, like sms: 1 to 40 characters."
ADVICE = {
    "destination_params": "Write an object with an id and a phone, or a list of them.",
    **dict.fromkeys(("id", "send_id"), _ID),
    **dict.fromkeys(("phone", "phone_number"), _PHONE),
    "from": "Write the sender name: 1 to 100 characters.",
    "text": "Write the text of the message.",
    **dict.fromkeys(("type", "channel"), _CHANNEL),
    "dispatch_type": "Write service or adds: 1 to 40 characters.",
    "delivery_callback_url": "Write the address for the statuses.",
}


def _listed(value: object) -> object:
    return value if isinstance(value, list) else [value]


def _as_text(value: object) -> object:
    """A number that came as a JSON number."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _line(most: int) -> Any:
    """A line that is not blank, of at most so many characters."""
    return Field(max_length=most, pattern=r"^ *[^\p{C}\p{Z}][ [^\p{C}\p{Z}]]*$")


class Destination(TypedDict):
    """One number, and the id by which Altegio knows the message to it."""

    __pydantic_config__ = ConfigDict(strict=True)  # type: ignore[misc]

    id: Annotated[MessageId, Field(validation_alias=AliasChoices("id", "send_id"))]
    phone: Annotated[
        str, BeforeValidator(_as_text), _line(40), Field(validation_alias=AliasChoices("phone", "phone_number"))
    ]


class MessageRequest(TypedDict):
    """A text for one or more numbers."""

    __pydantic_config__ = ConfigDict(strict=True)  # type: ignore[misc]

    destination_params: Annotated[list[Destination], BeforeValidator(_listed), Field(min_length=1)]
    sender_name: Annotated[str, _line(100), Field(validation_alias="from")]
    text: Annotated[str, Field(pattern=r"\S")]
    channel: Annotated[str, _line(40), Field(validation_alias=AliasChoices("type", "channel"))]
    category: Annotated[str, _line(40), Field(validation_alias="dispatch_type")]
    delivery_callback_url: Annotated[Target, PlainValidator(read_target)]


_REQUEST = TypeAdapter(MessageRequest)


def read_message_request(body: object) -> MessageRequest:
    """What a request asks for. Raises HttpError, 400, naming what is wrong and never what came."""
    try:
        request = _REQUEST.validate_python(body)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False)
        raise HttpError(400, " ".join(dict.fromkeys(map(_problem, problems[:MAX_NAMED])))) from None
    if len(request["destination_params"]) * len(request["text"]) > MAX_TEXTS:
        raise HttpError(400, "destination_params: So long a text goes to fewer numbers at once.")
    return request


def _problem(problem: ErrorDetails) -> str:
    """What to write instead, after the field's place: `destination_params.0.phone: Write …`."""
    places = [str(part) for part in problem["loc"] if isinstance(part, int) or part in ADVICE]
    if not places:
        return "The body is not a JSON object."
    error = problem.get("ctx", {}).get("error")
    named = next(part for part in reversed(places) if part in ADVICE)
    return f"{'.'.join(places)}: {error if isinstance(error, InvalidStatusAddressError) else ADVICE[named]}"
