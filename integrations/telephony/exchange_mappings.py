"""Mappings that translate the fields of any exchange's webhook into the portal's (docs/exchanges.md).

A mapping holds one rule for each of the portal's fields:

    "call.from"                                             a path
    ["call.did", "call.to"]                                 the first path that leads to something
    {"path": "call.result", "values": {"OK": "success"}}    translates these values; others stay as they are
    {"value": "incoming"}                                   the same value for every call
    {"by": "call.way", "cases": {"out": "call.to"}, "otherwise": "call.from"}     a rule chosen by another field

A path follows objects by name and lists by index: `callflow[0].caller_profile.caller_id_number`. `reading.py` parses
the mapped values in the same way as those that come without a mapping.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from integrations.telephony.reading import ENDED, RINGING
from partner_portal.core.english import english as _

MAX_PATH, MAX_PATHS, MAX_WORDS = 200, 10, 100
_INDEX = re.compile(r"\d{1,4}\]", re.ASCII)
_STEP = re.compile(r"[^.\[\]]+")
_NOTHING = object()

OBJECT = _("Write at least one rule.")
NO_FIELD = _("There is no field %(name)s here; there are: %(known)s.")
WRONG = _("Write a path like call.from or list[0].name; at most %d below one another.") % MAX_PATHS


class InvalidMappingError(ValueError):
    """Raised for an invalid mapping; `str()` names the field and says what to write."""


def check_mapping(mapping: object, *, rings: bool) -> None:
    """Raise InvalidMappingError unless this is a mapping for a ringing call (`rings`) or for an ended one."""
    if not isinstance(mapping, dict) or not mapping:
        raise InvalidMappingError(OBJECT)
    known = RINGING if rings else ENDED
    for name, rule in mapping.items():
        if name not in known:
            raise InvalidMappingError(NO_FIELD % {"name": name, "known": ", ".join(sorted(known))})
        if not _is_rule(rule):
            raise InvalidMappingError(f"{name}: {WRONG}")


def apply_mapping(mapping: Mapping[str, Any], body: object) -> dict[str, Any]:
    """Return the portal's fields with the values that the exchange sent; omit a field whose paths lead to nothing."""
    mapped = {name: _value(rule, body) for name, rule in mapping.items()}
    return {name: value for name, value in mapped.items() if value is not _NOTHING}


def _is_rule(rule: object) -> bool:
    if not isinstance(rule, dict):
        return _are_paths(rule)
    match frozenset(rule):
        case names if names == {"value"}:
            return isinstance(rule["value"], str | int)
        case names if names in ({"path"}, {"path", "values"}):
            return _are_paths(rule["path"]) and _is_table(rule.get("values", {}))
        case names if {"by", "cases"} <= names <= {"by", "cases", "otherwise"}:
            rules = [*rule["cases"].values()] if _is_table(rule["cases"]) else [None]
            rules += [rule["otherwise"]] if "otherwise" in rule else []
            return _are_paths(rule["by"]) and all(_is_rule(one) and not _is_choice(one) for one in rules)
    return False


def _is_choice(rule: object) -> bool:
    return isinstance(rule, dict) and "by" in rule


def _is_table(table: object) -> bool:
    return isinstance(table, dict) and len(table) <= MAX_WORDS


def _are_paths(paths: object) -> bool:
    listed = paths if isinstance(paths, list) else [paths]
    return 1 <= len(listed) <= MAX_PATHS and all(_is_path(path) for path in listed)


def _is_path(path: object) -> bool:
    return isinstance(path, str) and len(path) <= MAX_PATH and all(_is_step(step) for step in path.split("."))


def _is_step(step: str) -> bool:
    """Return whether this is a name, optionally followed by list indexes: `legs[0]`."""
    name, *numbers = step.split("[")
    return bool(name) and "]" not in name and all(_INDEX.fullmatch(number) for number in numbers)


def _value(rule: Any, body: object) -> Any:
    if not isinstance(rule, dict):
        return _first(rule, body)
    if "by" in rule:
        chosen = rule["cases"].get(word_of(_first(rule["by"], body)), rule.get("otherwise"))
        return _NOTHING if chosen is None else _value(chosen, body)
    if "value" in rule:
        return rule["value"]
    value = _first(rule["path"], body)
    return rule.get("values", {}).get(word_of(value), value)


def word_of(value: object) -> str:
    """Return the word by which a mapping names a value: as JSON writes `true`, `false` and `null`."""
    return json.dumps(value) if value is None or isinstance(value, bool) else str(value)


def _first(paths: Any, body: object) -> Any:
    """Return the first value at these paths that is not empty, else the first empty one, else `_NOTHING`."""
    listed = paths if isinstance(paths, list) else [paths]
    found = [value for path in listed if (value := _at(path, body)) is not _NOTHING]
    return next((value for value in found if value not in (None, "")), found[0] if found else _NOTHING)


def _at(path: str, body: object) -> Any:
    for step in _STEP.findall(path):
        if isinstance(body, dict) and step in body:
            body = body[step]
        elif isinstance(body, list) and step.isdecimal() and int(step) < len(body):
            body = body[int(step)]
        else:
            return _NOTHING
    return body
