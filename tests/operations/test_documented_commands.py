"""docs/operations.md as an operator types it: what runs on a bare machine is run, the rest is read."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml
from django.core.management import CommandError, call_command, get_commands, load_command_class

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/operations.md").read_text()
SERVICES = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
DOCUMENTED_ENVIRONMENT = set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
# In the running text a command may be broken over two lines.
INLINE = [" ".join(text.split()) for text in re.findall(r"(?<!`)`([^`]+)`(?!`)", PAGE)]
LINES = [line.partition("  #")[0].strip() for block in BLOCKS for line in block.splitlines()]
MANAGED = sorted({line for line in [*INLINE, *LINES] if re.search(r"\bmanage\.py \w", line)})
COMPOSED = sorted({line for line in [*INLINE, *LINES] if line.startswith("docker compose ")})
# What the page leaves to the reader.
PLACEHOLDER = re.compile(r"<[^>]+>|…")
# Not the doctor, which asks Altegio.
RUN = {
    "python manage.py check --deploy",
    "python manage.py rotate_keys",
    "python manage.py rotate_handover_key",
    "python manage.py adopt_connections --dry-run",
    "python manage.py mend_webhooks --dry-run",
    "python manage.py send_test_alert",
}


def after_manage(line: str) -> list[str]:
    """The command of manage.py and its arguments; what is left to the reader is filled in."""
    words = shlex.split(PLACEHOLDER.sub("read", line).replace("NAME", "name"))
    at = next(number for number, word in enumerate(words) if word.endswith("manage.py")) + 1
    end = words.index("&&") if "&&" in words[at:] else len(words)
    return words[at:end]


@pytest.mark.parametrize("block", BLOCKS)
def test_every_block_is_a_script(block: str) -> None:
    subprocess.run(["/bin/bash", "-n"], input=block, text=True, check=True, timeout=10)


@pytest.mark.parametrize("line", MANAGED)
def test_every_command_of_the_portal_takes_its_arguments(line: str) -> None:
    name, *arguments = after_manage(line)
    command = load_command_class(get_commands()[name], name)

    command.create_parser("manage.py", name).parse_args(arguments)


@pytest.mark.parametrize("line", COMPOSED)
def test_every_service_and_profile_is_in_compose(line: str) -> None:
    words = shlex.split(line)
    profiles = [words[at + 1] for at, word in enumerate(words) if word == "--profile"]
    known = {profile for service in SERVICES.values() for profile in service.get("profiles", [])}
    assert set(profiles) <= known
    verb = next(word for word in words[2:] if word in ("build", "up", "exec", "run", "start", "stop"))
    named = [word for word in words[words.index(verb) + 1 :] if not word.startswith("-")]
    # What stands behind the service is a command inside of it.
    assert set(named[:1] if verb in ("exec", "run") else named) <= set(SERVICES)


def test_every_variable_stands_in_the_example() -> None:
    named = {name for text in INLINE for name in re.findall(r"^([A-Z]+(?:_[A-Z]+)+)=", text)}

    assert named - DOCUMENTED_ENVIRONMENT == set()


def test_the_page_still_names_what_is_run() -> None:
    assert {line for line in RUN if not any(shown.startswith(line) for shown in MANAGED)} == set()


@pytest.mark.django_db
@pytest.mark.parametrize("line", sorted(RUN))
def test_what_needs_nobody_else_is_run(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    """On an empty database; a command that finds something missing says so in a sentence."""
    try:
        call_command(*after_manage(line))
        output = "".join(capsys.readouterr())
    except CommandError as error:
        output = str(error)

    assert output.strip()
