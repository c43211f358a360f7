"""The lock holds what the requirements ask for: `make lock` was run after they changed."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def pins(name: str) -> set[str]:
    """The packages of a requirements file or lock, as `name==version`; the extras left out."""
    found = re.findall(r"^([\w.-]+)(?:\[[^\]]*\])?==([\w.]+)", (ROOT / name).read_text(), re.MULTILINE)
    return {f"{package.lower()}=={version}" for package, version in found}


@pytest.mark.parametrize(
    ("wanted", "lock"),
    [
        ("requirements.txt", "requirements.lock"),
        ("requirements.txt", "requirements-dev.lock"),
        ("requirements-dev.txt", "requirements-dev.lock"),
    ],
)
def test_every_pin_stands_in_the_lock(wanted: str, lock: str) -> None:
    assert pins(wanted) <= pins(lock)


def test_tests_run_with_the_packages_of_production() -> None:
    assert pins("requirements.lock") <= pins("requirements-dev.lock")


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_every_locked_package_has_hashes(lock: str) -> None:
    packages = (ROOT / lock).read_text().split("\n    --hash=")

    assert len(packages) > len(pins(lock))
    assert not re.findall(r"^[\w.-]+==[^\\\n]*$", (ROOT / lock).read_text(), re.MULTILINE)
