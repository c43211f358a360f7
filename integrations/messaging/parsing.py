"""Validation of the statuses that a gateway reports: all are checked before any is stored (docs/interface.md).

The models are dictionaries, and plain values are checked by pydantic's built-in rules wherever possible, because a
report of a thousand statuses is the portal's hottest path.
"""

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal, NotRequired

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PlainValidator,
    RootModel,
    Tag,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic_core import ErrorDetails
from typing_extensions import TypedDict

from integrations.altegio.wire import MAX_ID_DIGITS, parse_id
from integrations.messaging.gateway_words import read_gateway_item
from integrations.messaging.status_addresses import MAX_LENGTH, InvalidStatusAddressError, Target, read_target
from partner_portal.core.clean import read_number
from partner_portal.core.english import english as _
from partner_portal.core.left_out import Warnings

MAX_ITEMS = 1000
MAX_PARTS = 32_767
# The largest sum that fits the column, which rounds to 6 decimals.
MAX_SUM = 10**12 - 1
Problems = dict[str, list[str]]

NEEDED = _("Needed with the statuses 1 and 8; a free message has the sum 0.")
UNKNOWN = _("There is no such field.")
# What to write instead of a wrong value.
ADVICE = {
    "id": _("Write the message's id: 1 to 100 characters."),
    "status": _("Write one of 1, 2, 4, 8, 16, 52, or a gateway's word for one, like DELIVRD (docs/sms_gateways.md)."),
    "payment_sum": _("Write a sum of 0 or more, like 0.05; it is rounded to 6 decimals."),
    "currency_iso": _("Write an ISO 4217 code, like EUR."),
    "parts_amount": _("Write a whole number of 0 or more."),
    "salon_id": _("Write a number of 1 to 18 digits."),
}


class InvalidStatusesError(ValueError):
    """Raised for statuses that cannot be accepted; `problems` holds the reasons by the items' indexes."""

    def __init__(self, problems: Mapping[str, Problems | list[str]]) -> None:
        super().__init__("These statuses cannot be taken.")
        self.problems = problems


def _sum(value: object) -> Decimal:
    """Return a sum given as an integer, a decimal or text; a negative zero becomes zero. Raises ValueError."""
    number = read_number(value) if isinstance(value, str) else value
    if not isinstance(number, int | Decimal) or isinstance(number, bool) or not 0 <= number <= MAX_SUM:
        raise ValueError
    return Decimal(number).copy_abs()


class _Targets(dict[str, Target | None]):
    """A cache of the targets that the statuses of one request name, so that each address is parsed once."""

    def __missing__(self, url: str) -> Target | None:
        self[url] = target = read_target(url) if url else None
        return target


def _target(value: object, known: ValidationInfo) -> Target | None:
    targets: _Targets = known.context  # type: ignore[assignment]
    if isinstance(value, str):
        return targets[value]
    return None if value is None else read_target(value)


def _salon_id(value: object) -> int:
    if (salon_id := parse_id(value)) is None:
        raise ValueError
    return salon_id


def _none_if_blank(value: object) -> object:
    return None if value == "" else value


def _open(schema: dict[str, Any]) -> None:
    """Adapt the JSON schema: unknown fields are allowed, because they are left out without refusing the status.

    `ext_id` may replace `id` (`ext_ids.py`).
    """
    del schema["additionalProperties"]
    schema["required"].remove("id")
    schema["properties"]["ext_id"] = {"type": "string", "description": "Of a requested message, instead of `id`."}


_IN_ORDER = Field(union_mode="left_to_right")
_Blank = Annotated[None, BeforeValidator(_none_if_blank)]
# Printable and not blank. An id that came as a number stays one, because Altegio gets it back in the same form.
_TEXT_ID = Annotated[str, Field(max_length=100, pattern=r"^ *[^\p{C}\p{Z}][ [^\p{C}\p{Z}]]*$")]
MessageId = Annotated[
    _TEXT_ID | int,
    _IN_ORDER,
    WithJsonSchema({"anyOf": [{"type": "string", "minLength": 1, "maxLength": 100}, {"type": "integer"}]}),
]
_SUM_SCHEMA = WithJsonSchema(
    {
        "anyOf": [
            {"type": "number", "minimum": 0, "maximum": MAX_SUM},
            {"type": "string", "format": "decimal", "pattern": r"^[0-9]{1,12}(\.[0-9]{1,6})?$"},
        ]
    }
)
_WORD_SCHEMA = {"type": "string", "description": "The number as text, or a gateway's word for it, like DELIVRD."}
_CURRENCY_SCHEMA = WithJsonSchema({"type": "string", "pattern": "^[A-Z]{3}$"})
_PARTS_SCHEMA = WithJsonSchema({"type": "integer", "minimum": 0, "maximum": MAX_PARTS})
Sum = Annotated[
    Annotated[Decimal, Field(gt=0, le=MAX_SUM)] | Annotated[Decimal, PlainValidator(_sum)], _IN_ORDER, _SUM_SCHEMA
]
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$"), _CURRENCY_SCHEMA]
Parts = Annotated[int, Field(ge=0, le=MAX_PARTS), _PARTS_SCHEMA]
Address = Annotated[
    Target | None,
    PlainValidator(_target),
    WithJsonSchema({"type": "string", "format": "uri", "maxLength": MAX_LENGTH}),
]
SalonId = Annotated[
    Annotated[int, Field(gt=0, lt=10**MAX_ID_DIGITS)] | Annotated[int, PlainValidator(_salon_id)] | None,
    _IN_ORDER,
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 10**MAX_ID_DIGITS - 1}),
]


def _number_or_word(*numbers: int) -> WithJsonSchema:
    """Describe a status that may also be a word: `read_gateway_item` has made it a number before it is validated."""
    return WithJsonSchema({"oneOf": [{"type": "integer", "enum": list(numbers)}, _WORD_SCHEMA]})


def _either(schema: dict[str, Any]) -> None:
    """Adapt the JSON schema: a gateway's word with a price fits both models, so `oneOf` would refuse it."""
    schema["items"]["anyOf"] = schema["items"].pop("oneOf")


class _Status(TypedDict):
    __pydantic_config__ = ConfigDict(strict=True, extra="forbid", json_schema_extra=_open)  # type: ignore[misc]

    id: MessageId
    delivery_callback_url: NotRequired[Address]
    salon_id: NotRequired[SalonId]


class PricedStatus(_Status):
    """A message delivered (1) or handed to the operator (8): Altegio wants to know what it costs.

    `salon_id` may be added for the figures by location.
    """

    status: Annotated[Literal[1, 8], _number_or_word(1, 8)]
    payment_sum: Sum
    currency_iso: Currency
    parts_amount: Parts


class UnpricedStatus(_Status):
    """A message not delivered (2), sent to the phone (4), rejected by the operator (16), without enough funds (52).

    `salon_id` may be added for the figures by location.
    """

    status: Annotated[Literal[2, 4, 16, 52], _number_or_word(2, 4, 16, 52)]
    payment_sum: NotRequired[Annotated[Sum | _Blank, _IN_ORDER, _SUM_SCHEMA]]
    currency_iso: NotRequired[Annotated[Currency | _Blank, _IN_ORDER, _CURRENCY_SCHEMA]]
    parts_amount: NotRequired[Annotated[Parts | _Blank, _IN_ORDER, _PARTS_SCHEMA]]


ReportedStatus = PricedStatus | UnpricedStatus
# A bad value here would make a status meaningless or send it to the wrong address; other fields are optional.
_NEEDED = frozenset({"id", "status", "delivery_callback_url"})
_PRICE = frozenset({"payment_sum", "currency_iso", "parts_amount"})
_NEEDED_OF = {"unpriced": _NEEDED, "priced": _NEEDED | _PRICE}


def _kind(item: object) -> str | None:
    """Return the tag of an item's model, or None if it is no object; `true` equals 1 in Python but is no status."""
    if not isinstance(item, dict):
        return None
    status = item.get("status")
    return "priced" if status in (1, 8) and status is not True else "unpriced"


_Item = Annotated[
    Annotated[PricedStatus, Tag("priced")] | Annotated[UnpricedStatus, Tag("unpriced")], Discriminator(_kind)
]


class StatusList(RootModel[list[_Item]]):
    """Statuses of messages, all or none of which are taken."""

    model_config = ConfigDict(json_schema_extra=_either)

    root: list[_Item] = Field(min_length=1, max_length=MAX_ITEMS)


def read_statuses(items: object) -> tuple[list[ReportedStatus], Warnings]:
    """Return the statuses in a request's body, and a warning for each field that was left out.

    An optional field that cannot be read is left out, so that no status is lost because of it. Raises
    InvalidStatusesError, which names every other wrong field.
    """
    if not isinstance(items, list) or not 1 <= len(items) <= MAX_ITEMS:
        raise InvalidStatusesError({"non_field_errors": [_("Send a list of 1 to 1000 statuses.")]})
    objects = [item for item in items if isinstance(item, dict)]
    if str in {type(item.get(name)) for item in objects for name in ("status", "parts_amount")}:
        items = [read_gateway_item(item) for item in items]
    targets = _Targets()
    try:
        return StatusList.model_validate(items, context=targets).root, []
    except ValidationError as error:
        left_out = _without_needed(error)
    readable = [
        {name: item[name] for name in item if (index, name) not in left_out} for index, item in enumerate(items)
    ]
    warnings = [
        {"field": f"{index}.{name[:100]}", "message": f"Left out. {why}"} for (index, name), why in left_out.items()
    ]
    return StatusList.model_validate(readable, context=targets).root, warnings


def _without_needed(error: ValidationError) -> dict[tuple[int, str], str]:
    """Return why optional fields cannot be read, by item and field. Raises InvalidStatusesError for other faults."""
    problems: defaultdict[str, Problems] = defaultdict(dict)
    left_out: dict[tuple[int, str], str] = {}
    for problem in error.errors(include_url=False):
        match problem["loc"]:
            case (index, kind, name, *_rest) if str(name) not in _NEEDED_OF[str(kind)]:
                left_out[int(index), str(name)] = _why(str(name), problem)
            case (index, _kind, name, *_rest):
                problems[str(index)][str(name)] = [_why(str(name), problem)]
            case (index, *_rest):
                problems[str(index)]["item"] = [_("Write an object.")]
    if problems:
        raise InvalidStatusesError(dict(problems))
    return left_out


def _why(name: str, problem: ErrorDetails) -> str:
    """Return the reason for a problem: an address error's own text, else the advice for the field."""
    error = problem.get("ctx", {}).get("error")
    if isinstance(error, InvalidStatusAddressError):
        return str(error)
    if problem["type"] == "extra_forbidden":
        return UNKNOWN
    is_missing = problem["type"] == "missing" or problem["input"] in (None, "")
    return NEEDED if is_missing and name in _PRICE else ADVICE[name]
