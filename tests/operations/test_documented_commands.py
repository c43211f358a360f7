"""docs/operations.md is read: what it tells is there. tests/end_to_end/test_operations_guide.py types it."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml
from django.core.management import get_commands, load_command_class

from tests.operations.page import BLOCKS, COMPOSED, INLINE, MANAGED

ROOT = Path(__file__).resolve().parents[2]
SERVICES = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
DOCUMENTED_ENVIRONMENT = set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
# What the page leaves to the reader.
PLACEHOLDER = re.compile(r"<[^>]+>|…")


def after_manage(line: str) -> list[str]:
    """The command of manage.py and its arguments; what is left to the reader is filled in."""
    words = shlex.split(PLACEHOLDER.sub("read", line).replace("NAME", "name"))
    at = next(number for number, word in enumerate(words) if word.endswith("manage.py")) + 1
    end = words.index("&&") if "&&" in words[at:] else len(words)
    return words[at:end]


@pytest.mark.parametrize("block", BLOCKS)
def test_every_block_is_a_script(block: str) -> None:
    read = subprocess.run(["/bin/bash", "-n"], input=block, text=True, capture_output=True, check=False, timeout=10)

    assert (read.returncode, read.stderr) == (0, "")


@pytest.mark.parametrize("line", MANAGED)
def test_every_command_of_the_portal_takes_its_arguments(line: str) -> None:
    name, *arguments = after_manage(line)
    command = load_command_class(get_commands()[name], name)

    _taken, unknown = command.create_parser("manage.py", name).parse_known_args(arguments)

    assert unknown == []


@pytest.mark.parametrize("line", COMPOSED)
def test_every_service_and_profile_is_in_compose(line: str) -> None:
    words = shlex.split(line)
    profiles = [words[at + 1] for at, word in enumerate(words) if word == "--profile"]
    known = {profile for service in SERVICES.values() for profile in service.get("profiles", [])}
    assert set(profiles) <= known
    verbs = ("build", "exec", "logs", "restart", "run", "start", "stop", "up")
    verb = next(word for word in words[2:] if word in verbs)
    named = [word for word in words[words.index(verb) + 1 :] if not word.startswith("-")]
    # What stands behind the service is a command inside of it.
    assert set(named[:1] if verb in ("exec", "run") else named) <= set(SERVICES)


def test_every_variable_stands_in_the_example() -> None:
    named = {name for text in INLINE for name in re.findall(r"^([A-Z]+(?:_[A-Z]+)+)=", text)}

    assert named - DOCUMENTED_ENVIRONMENT == set()
