"""No regular expression of the portal takes longer than its text, because none repeats a repetition."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from re import _constants as code
from re import _parser as parser
from typing import Any

import pytest

import accounts
import billing
import integrations
import partner_portal


def expressions() -> Iterator[tuple[str, str]]:
    """Yield every compiled expression of our modules with its place."""
    for package in (accounts, billing, integrations, partner_portal):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if "migrations" in found.name or found.name.endswith(("wsgi", "__main__")):
                continue
            for name, value in vars(importlib.import_module(found.name)).items():
                if isinstance(value, re.Pattern):
                    yield f"{found.name}.{name}", value.pattern


def repeats_a_repetition(tree: Any, inside: bool = False) -> bool:
    for operation, argument in tree:
        repeats = operation in (code.MAX_REPEAT, code.MIN_REPEAT) and argument[1] > 1
        endless = repeats and argument[1] == code.MAXREPEAT
        if inside and endless:
            return True
        parts = argument if isinstance(argument, (list, tuple)) else [argument]
        for part in _trees(parts):
            if repeats_a_repetition(part, inside or endless):
                return True
    return False


def _trees(parts: Any) -> Iterator[Any]:
    for part in parts:
        if isinstance(part, parser.SubPattern):
            yield part
        elif isinstance(part, (list, tuple)):
            yield from _trees(part)


def test_the_rule_recognises_dangerous_expressions() -> None:
    assert repeats_a_repetition(parser.parse(r"(a+)+$"))
    assert repeats_a_repetition(parser.parse(r"x(?:\s*,\s*)*y"))
    assert not repeats_a_repetition(parser.parse(r"a+b*[c]{2,7}(d)?"))


def test_the_expressions_to_check_are_found() -> None:
    assert len(list(expressions())) > 10


@pytest.mark.parametrize(("where", "expression"), sorted(set(expressions())))
def test_no_repetition_is_repeated(where: str, expression: bytes | str) -> None:
    assert not repeats_a_repetition(parser.parse(expression)), where
