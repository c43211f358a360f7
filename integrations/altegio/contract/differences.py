"""Differences between the contract and what came: their names, and a sample that reveals no data."""

import enum
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from integrations.altegio.answers import Answer, Outcome
from integrations.altegio.contract.callbacks import EntityEvent, LifecycleCallback
from integrations.altegio.contract.calls import ANYTHING, contract_of
from integrations.altegio.contract.shapes import OTHER_VALUE, Shape
from integrations.altegio.requests import ApiRequest

MAX_PATH = 200
MAX_SAMPLE = 200
MAX_DEPTH = 3
MAX_WORD = 40
_WORD = re.compile(rf"[A-Za-z][A-Za-z_-]{{0,{MAX_WORD - 1}}}")
# A field's name. Anything that does not look like one may be somebody's number or name.
_FIELD = re.compile(r"[A-Za-z_][A-Za-z_-]*\d{0,3}")


class Kind(enum.StrEnum):
    """The kind of a difference."""

    CODE = "code"  # a status code that the call does not answer
    FIELD = "field"  # a field that is not documented
    MISSING = "missing"  # a documented field did not come
    TYPE = "type"  # another type of value
    VALUE = "value"  # another word than the documented ones: a new state, say


@dataclass(frozen=True)
class Difference:
    """One difference from the contract.

    `subject` is the call or callback, `path` the position in it (`data.payments[].id`), `value` the new word or code
    if that is what differs; `sample` shows the form of the value that came.
    """

    subject: str
    kind: Kind
    path: str = ""
    value: str = ""
    sample: str = ""


class _Meta(Shape):
    message: Any = None
    errors: Any = None
    code: Any = None
    count: Any = None


class _Envelope(Shape):
    success: bool | None = None
    data: Any = None
    meta: Any = None
    code: Any = None


_ENVELOPE, _META = TypeAdapter(_Envelope), TypeAdapter(_Meta)
_LIFECYCLE, _ENTITY = TypeAdapter(LifecycleCallback), TypeAdapter(EntityEvent)


def of_answer(request: ApiRequest, answer: Answer) -> list[Difference]:
    """Return the differences of this answer from the contract.

    An answer that did not come, or is not JSON, has none: that is an outcome which the outbox judges.
    """
    contract = contract_of(request)
    if contract is None or answer.status_code is None:
        return []
    if answer.status_code not in contract.codes:
        return [Difference(contract.name, Kind.CODE, value=str(answer.status_code), sample=sample_of(answer.data))]
    if answer.envelope is None or not answer.envelope:
        return []
    found = [*_compare(contract.name, _ENVELOPE, answer.envelope, ())]
    if isinstance(meta := answer.envelope.get("meta"), dict):
        found += _compare(contract.name, _META, meta, ("meta",))
    if answer.outcome is Outcome.ACCEPTED and contract.data is not ANYTHING:
        found += _compare(contract.name, contract.data, answer.data, ("data",))
    return _once(found)


def of_callback(body: Any) -> list[Difference]:
    """Return the differences of a stored lifecycle callback from the contract."""
    return _once(_compare("lifecycle callback", _LIFECYCLE, body, ()))


def of_events(body: Any) -> list[Difference]:
    """Return the differences of an entity webhook from the contract: one event, or a list of them."""
    events = body if isinstance(body, list) else [body]
    return _once(found for event in events for found in _compare("entity webhook", _ENTITY, event, ()))


def _compare(subject: str, adapter: TypeAdapter[Any], value: Any, at: tuple[str, ...]) -> Iterator[Difference]:
    try:
        adapter.validate_python(value)
    except ValidationError as error:
        for problem in error.errors(include_url=False, include_context=False):
            yield _difference(subject, problem["type"], (*at, *problem["loc"]), problem["input"])


def _difference(subject: str, problem: str, location: tuple[int | str, ...], value: Any) -> Difference:
    path = _path(location)
    if problem == "missing":
        return Difference(subject, Kind.MISSING, path)
    if problem == "extra_forbidden":
        return Difference(subject, Kind.FIELD, path, sample=sample_of(value))
    if problem == OTHER_VALUE and isinstance(value, str) and _WORD.fullmatch(value):
        return Difference(subject, Kind.VALUE, path, value, sample_of(value))
    return Difference(subject, Kind.VALUE if problem == OTHER_VALUE else Kind.TYPE, path, sample=sample_of(value))


def _path(location: tuple[int | str, ...]) -> str:
    """Return the path `data.payments[].id`; a key that is no field name, as in a dictionary of ids, becomes `*`."""
    path = ""
    for step in location:
        if isinstance(step, int):
            path += "[]"
        else:
            path += f".{_name(step)}" if path else _name(step)
    return path[:MAX_PATH]


def _name(field: object) -> str:
    return field if isinstance(field, str) and len(field) <= MAX_WORD and _FIELD.fullmatch(field) else "*"


def _once(found: Iterable[Difference]) -> list[Difference]:
    """Return each difference once for each answer, with its first sample, however many rows have it."""
    first: dict[tuple[Any, ...], Difference] = {}
    for difference in found:
        first.setdefault((difference.kind, difference.path, difference.value), difference)
    return list(first.values())


def sample_of(value: Any) -> str:
    """Return the form of a value and none of its content: letters become `a`, digits `9`; names of fields stay."""
    return _form(value, MAX_DEPTH)[:MAX_SAMPLE]


def _form(value: Any, depth: int) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, dict):
        fields = [f"{_name(name)}: {_form(item, depth - 1)}" for name, item in list(value.items())[:8]]
        return f"{{{', '.join(fields)}}}" if depth else "{…}"
    if isinstance(value, list):
        return f"[{_form(value[0], depth - 1)}, …]" if value and depth else "[]"
    if isinstance(value, str):
        return f'"{_masked(value)}"'
    return _masked(str(value))


def _masked(text: str) -> str:
    return re.sub(r"\d", "9", re.sub(r"[^\W\d_]", "a", text[:60]))
