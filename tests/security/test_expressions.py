"""No regular expression of the portal takes longer than its text.

None repeats a repetition, which would take longer without measure, and each is tried on long texts that are hard for
it (`pumping.py`).
"""

import ast
import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from re import _constants as code
from re import _parser as parser
from types import ModuleType
from typing import Any

import pytest

import accounts
import billing
import integrations
import partner_portal
from tests.security.pumping import hard_texts, is_slow, trees

FROM_THE_START = {"match", "fullmatch"}
USES = {*FROM_THE_START, "search", "sub", "split", "findall", "finditer"}


@dataclass(frozen=True)
class Expression:
    """A regular expression of ours, where it stands, and the methods with which its module uses it."""

    where: str
    pattern: re.Pattern[Any]
    methods: frozenset[str]

    def ways(self) -> Iterator[Callable[[Any], object]]:
        """Yield each way in which it reads a text; every way if its module hands it on."""
        methods = self.methods or USES
        yield from (getattr(self.pattern, method) for method in FROM_THE_START & methods)
        if methods - FROM_THE_START:
            yield lambda text: list(self.pattern.finditer(text))


def modules() -> Iterator[ModuleType]:
    for package in (accounts, billing, integrations, partner_portal):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if "migrations" not in found.name and not found.name.endswith(("wsgi", "__main__")):
                yield importlib.import_module(found.name)


def expressions() -> list[Expression]:
    """Return every expression of our modules: the compiled ones, and those written into a call of `re`."""
    found = [one for module in modules() for one in expressions_of(module)]
    return sorted({one.where: one for one in found}.values(), key=lambda one: one.where)


def expressions_of(module: ModuleType) -> Iterator[Expression]:
    calls = [*method_calls(module)]
    for name, value in vars(module).items():
        if isinstance(value, re.Pattern):
            methods = {method for owner, method, _call in calls if owner == name}
            yield Expression(f"{module.__name__}.{name}", value, frozenset(methods & USES))
    for owner, method, call in calls:
        if owner == "re" and method in USES and (pattern := evaluated(call.args[0], module)) is not None:
            yield Expression(f"{module.__name__}:{pattern}", re.compile(pattern), frozenset({method}))


def method_calls(module: ModuleType) -> Iterator[tuple[str, str, ast.Call]]:
    """Yield the calls `name.method(…)` in a module."""
    for node in ast.walk(ast.parse(Path(module.__file__ or "").read_text())):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)):
                yield name, method, node


def evaluated(argument: ast.expr, module: ModuleType) -> Any:
    """Return the value of an argument, or None if it depends on a function's variables."""
    try:
        return eval(compile(ast.Expression(argument), module.__name__, "eval"), vars(module))
    except NameError:
        return None


EXPRESSIONS = expressions()
each_expression = partial(pytest.mark.parametrize, "expression", EXPRESSIONS, ids=lambda one: one.where)


def repeats_a_repetition(tree: Any, inside: bool = False) -> bool:
    for operation, argument in tree:
        repeats = operation in (code.MAX_REPEAT, code.MIN_REPEAT) and argument[1] > 1
        endless = repeats and argument[1] == code.MAXREPEAT
        if inside and endless:
            return True
        for part in trees(argument):
            if repeats_a_repetition(part, inside or endless):
                return True
    return False


def test_the_rule_recognises_dangerous_expressions() -> None:
    assert repeats_a_repetition(parser.parse(r"(a+)+$"))
    assert repeats_a_repetition(parser.parse(r"x(?:\s*,\s*)*y"))
    assert not repeats_a_repetition(parser.parse(r"a+b*[c]{2,7}(d)?"))


@pytest.mark.parametrize(
    "dangerous",
    [r"a+b", r"\beyJ[\w-]+\.", r"1\s*;?\s*x", r"\d+\.?\d*x", r"[;\t](?=\s*=)", r"(?:x|ab*)c[^d]+d", rb"\n[^x]*x"],
)
def test_hard_texts_show_dangerous_expressions(dangerous: str | bytes) -> None:
    expression = re.compile(dangerous)
    assert any(is_slow(expression.search, text) for text in hard_texts(expression))


@pytest.mark.parametrize("harmless", [r"(?<!a)a++b", r"1\s*+;?x", r"x\d{1,20}", r"a[^ab]*b", r"x(?=y)[yz]+"])
def test_hard_texts_show_no_harmless_expression(harmless: str) -> None:
    expression = re.compile(harmless)
    assert not any(is_slow(expression.search, text) for text in hard_texts(expression))


def test_the_expressions_to_check_are_found() -> None:
    assert len([one for one in EXPRESSIONS if one.methods]) > 50


@each_expression()
def test_no_repetition_is_repeated(expression: Expression) -> None:
    assert not repeats_a_repetition(parser.parse(expression.pattern.pattern))


@each_expression()
def test_no_expression_takes_longer_than_its_text(expression: Expression) -> None:
    texts = ((use, text) for use in expression.ways() for text in hard_texts(expression.pattern))
    assert next((text(60) for use, text in texts if is_slow(use, text)), None) is None
