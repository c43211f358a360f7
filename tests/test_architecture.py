"""The arrows of the house: nothing imports upward, and nothing imports the sandbox."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PRODUCT = ("partner_portal", "accounts", "integrations", "billing")

# Who (a package) may not import what.
FORBIDDEN = [
    ("accounts", ("integrations", "billing")),
    ("integrations", ("billing",)),
    ("integrations/altegio", ("django", "celery", "accounts", "integrations.outbox", "integrations.models")),
    ("partner_portal/http_client", ("django", "celery", "accounts", "integrations", "billing")),
    ("integrations/outbox", ("integrations.connect", "integrations.activation", "integrations.telephony")),
    *((package, ("sandbox", "demo", "tests", "bench", "chaos")) for package in PRODUCT),
    ("sandbox", ("django", *PRODUCT)),
]


def imports(package: str) -> Iterator[tuple[str, str]]:
    for file in (ROOT / package).rglob("*.py"):
        if file.name == "admin.py":
            continue  # screens stand at the top, wherever they lie
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                yield from ((str(file.relative_to(ROOT)), alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield str(file.relative_to(ROOT)), node.module


@pytest.mark.parametrize(("package", "forbidden"), FORBIDDEN)
def test_nothing_imports_upward(package, forbidden):
    wrong = [
        f"{file} imports {module}"
        for file, module in imports(package)
        if any(module == name or module.startswith(f"{name}.") for name in forbidden)
    ]
    assert not wrong
