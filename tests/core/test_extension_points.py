"""Extension points keep one order whatever was imported first, refuse a name twice, and are listed on a page."""

import ast
import re
from importlib import import_module
from itertools import permutations
from pathlib import Path

import pytest

from partner_portal.core import extension_points as module
from partner_portal.core.extension_points import AlreadyRegisteredError, ExtensionPoint, extension_points

PAGE = Path("docs/extension_points.md").read_text()
WHERE = r"`(?P<file>[^`]+\.py)`: `(?P<variable>\w+)`"
ROW = re.compile(rf"^\| (?P<name>[^|]+) \| (?P<purpose>[^|]+) \| {WHERE} \| (?P<example>.+) \|$", re.MULTILINE)
ROWS = [found.groupdict() for found in ROW.finditer(PAGE)]


@pytest.fixture
def point(monkeypatch: pytest.MonkeyPatch) -> ExtensionPoint[str]:
    """Return an extension point that only this test knows."""
    monkeypatch.setattr(module, "_points", {})
    return ExtensionPoint[str]("colours", "Colours.")


@pytest.mark.parametrize("order", list(permutations([("red", 0), ("blue", 0), ("grey", -1), ("black", 10)])))
def test_items_come_by_rank_and_name_in_whatever_order_they_were_added(
    point: ExtensionPoint[str], order: list[tuple[str, int]]
) -> None:
    for name, rank in order:
        point.register(name, name.upper(), rank=rank)

    assert point.names() == ["grey", "blue", "red", "black"]
    assert list(point) == ["GREY", "BLUE", "RED", "BLACK"]


def test_an_item_is_found_by_its_name(point: ExtensionPoint[str]) -> None:
    point.register("red", "RED")

    assert (point["red"], point.get("red"), point.get("green"), len(point)) == ("RED", "RED", None, 1)
    with pytest.raises(KeyError):
        point["green"]


def test_a_name_is_refused_the_second_time(point: ExtensionPoint[str]) -> None:
    point.register("red", "RED")

    with pytest.raises(AlreadyRegisteredError, match="colours: 'red'"):
        point.register("red", "ANOTHER")
    assert point["red"] == "RED"


def test_a_function_is_refused_the_second_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_points", {})
    functions = ExtensionPoint[object]("functions", "Functions.")
    functions.add()(test_a_name_is_refused_the_second_time)

    assert functions.names() == [f"{__name__}.test_a_name_is_refused_the_second_time"]
    with pytest.raises(AlreadyRegisteredError):
        functions.add()(test_a_name_is_refused_the_second_time)


def test_two_points_have_two_names(point: ExtensionPoint[str]) -> None:
    with pytest.raises(AlreadyRegisteredError):
        ExtensionPoint[str](point.name, "Colours again.")


def test_the_page_names_every_point_and_no_other() -> None:
    on_the_page = [(row["name"], row["purpose"]) for row in ROWS]

    assert on_the_page == [(point.name, point.purpose) for point in extension_points()]


def test_every_line_of_the_page_is_a_row_that_was_read() -> None:
    lines = [line for line in PAGE.splitlines() if line.startswith("| ")][1:]

    assert len(ROWS) == len(lines)


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_a_point_is_where_the_page_says(row: dict[str, str]) -> None:
    defined_in = import_module(row["file"].removesuffix(".py").replace("/", "."))

    assert getattr(defined_in, row["variable"]).name == row["name"]


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_an_example_is_two_lines_of_python_that_use_what_is_there(row: dict[str, str]) -> None:
    lines = [line.strip("`").replace(r"\|", "|") for line in row["example"].split("<br>")]
    used = {node.id for node in ast.walk(ast.parse("\n".join(lines))) if isinstance(node, ast.Name)}
    defined_in = import_module(row["file"].removesuffix(".py").replace("/", "."))
    registering = {name for name in vars(defined_in) if name == row["variable"] or name.startswith("register")}

    assert len(lines) == 2
    assert used & (registering | {"Queue"})
