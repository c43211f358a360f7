"""Conversion between a mapping's rules and the lines in which staff write them, for one field at a time.

The syntax (docs/exchanges.md):

    call.did                                    a path; several lines: the first that leads to something counts
    OK = success                                below the paths: the exchange's word = the portal's word
    = incoming                                  the same value for every call
    if call.way is out: call.to                 a rule chosen by another field; several such lines, and at the end
    otherwise: call.from

After a colon a whole rule stands on one line: `call.did, call.to | OK = success`, or `= incoming`.
"""

import re
from collections.abc import Iterable
from typing import Any

from integrations.telephony.exchange_mappings import InvalidMappingError
from partner_portal.core.english import english as _

_IS = re.compile(r"\sis\s")
_OTHERWISE = re.compile(r"otherwise\s*:\s*(.+)")
CASES = _(
    "Write a line “if path is word: path” for each word, all of the same path, and “otherwise: path” at most once."
)
NO_PATH = _("Write the path first, and below it the words: “their word = ours”.")


def read_rule(text: str) -> Any:
    """Return the rule that these lines describe, or None if they are empty. Raises InvalidMappingError."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if any(_case(line) for line in lines):
        return _read_cases(lines)
    return _read_plain(lines) if lines else None


def write_rule(rule: Any) -> str:
    """Return a rule as lines; the reverse of `read_rule`."""
    if isinstance(rule, dict) and "by" in rule:
        by = ", ".join(_listed(rule["by"]))
        lines = [f"if {by} is {word}: {_on_one_line(case)}" for word, case in rule["cases"].items()]
        return "\n".join(
            [*lines, *([f"otherwise: {_on_one_line(rule['otherwise'])}"] if "otherwise" in rule else [])]
        )
    return "\n".join(_written(rule))


def _read_cases(lines: list[str]) -> dict[str, Any]:
    cases = [case for line in lines if (case := _case(line))]
    others = [found for line in lines if (found := _OTHERWISE.fullmatch(line))]
    by = {_first_or_all(_paths(path)).__repr__() for path, _word, _rule in cases}
    if len(by) != 1 or len(others) > 1 or len(cases) + len(others) != len(lines):
        raise InvalidMappingError(CASES)
    rule = {
        "by": _first_or_all(_paths(cases[0][0])),
        "cases": {word: _read_line(its_rule) for _path, word, its_rule in cases},
    }
    return rule | ({"otherwise": _read_line(others[0][1])} if others else {})


def _case(line: str) -> tuple[str, str, str] | None:
    """Return path, word and rule of a line `if path is word: rule`, or None if it is another line."""
    path, *others = _IS.split(line[2:].lstrip(), maxsplit=1)
    word, _colon, rule = (others[0] if others else "").partition(":")
    case = path.strip(), word.strip(), rule.strip()
    return case if line.startswith("if") and line[2:3].isspace() and case[0] and case[2] else None


def _read_line(text: str) -> Any:
    """Return the rule that follows a colon. Raises InvalidMappingError."""
    paths, *words = text.split("|")
    return _read_plain([*(_paths(paths) if not paths.strip().startswith("=") else [paths.strip()]), *words])


def _read_plain(lines: Iterable[str]) -> Any:
    paths, words = [], {}
    for line in lines:
        theirs, sign, ours = (part.strip() for part in line.partition("="))
        if sign and not theirs:
            return {"value": ours}
        if sign:
            words[theirs] = ours
        elif theirs:
            paths.append(theirs)
    if not paths:
        raise InvalidMappingError(NO_PATH)
    return {"path": _first_or_all(paths), "values": words} if words else _first_or_all(paths)


def _paths(text: str) -> list[str]:
    return [path.strip() for path in text.split(",")]


def _first_or_all(paths: list[str]) -> Any:
    return paths[0] if len(paths) == 1 else paths


def _listed(paths: Any) -> list[str]:
    return paths if isinstance(paths, list) else [paths]


def _written(rule: Any) -> list[str]:
    if not isinstance(rule, dict):
        return _listed(rule)
    if "value" in rule:
        return [f"= {rule['value']}"]
    return [*_listed(rule["path"]), *(f"{theirs} = {ours}" for theirs, ours in rule.get("values", {}).items())]


def _on_one_line(rule: Any) -> str:
    words = [line for line in _written(rule) if "=" in line]
    paths = [line for line in _written(rule) if "=" not in line]
    return " | ".join([*([", ".join(paths)] if paths else []), *words])
