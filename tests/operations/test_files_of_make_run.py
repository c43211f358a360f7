"""What `make run` writes down is its user's alone, also on a machine that many share."""

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUN = """
import subprocess, sys
from pathlib import Path
import demo.__main__ as demo
demo.VAR = Path(sys.argv[1])
demo.close_to_others(demo.VAR)
env = demo.environment()
demo._prepare(env)
everything = (
    "from django.core.management import call_command; call_command('sendtestemail', 'emma@aurora.example'); "
    "from accounts.tasks import send_emails; send_emails.delay(); "
    "from django.core.cache import cache; cache.set('a', 1)"
)
subprocess.run([sys.executable, "manage.py", "shell", "-v0", "-c", everything], env=env, check=True)
subprocess.run([*demo.COMMANDS["sandbox"][:3], "--help"], env=env, check=True, stdout=subprocess.DEVNULL)
"""


def open_to_others(folder: Path) -> list[str]:
    return [str(path) for path in (folder, *folder.rglob("*")) if path.stat().st_mode & 0o077]


def run(var: Path) -> None:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    env = kept | {"VAR_DIR": str(var), "ENV_FILE": os.devnull, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", RUN, str(var)]
    subprocess.run(command, cwd=ROOT, env=env, check=True, stdout=subprocess.DEVNULL, umask=0o022)


def test_nothing_is_readable_by_other_users(tmp_path: Path) -> None:
    """Neither what is written now nor what an earlier run left open."""
    var = tmp_path / "var"
    (var / "emails").mkdir(parents=True, mode=0o755)
    (var / "demo-field-key").write_text("WvGZ3K3cE8mXn6J0V2wS1d7xq0m0yq9b8yq3T1c2b3A=")
    outside = tmp_path / "outside"
    outside.touch(0o644)
    (var / "link").symlink_to(outside)
    run(var)
    names = {path.name for path in var.rglob("*")}
    assert {
        "portal.sqlite3",
        "demo-secret-key",
        "demo-field-key",
        "demo.env",
        "broker",
        "cache",
        "emails",
    } <= names
    assert list((var / "emails").iterdir())
    assert list((var / "broker" / "messages").iterdir())
    (var / "link").unlink()
    assert open_to_others(var) == []
    assert outside.stat().st_mode & 0o777 == 0o644, "what a link leads to is not ours"


def test_the_folder_is_closed_wherever_a_process_makes_it(tmp_path: Path) -> None:
    """In production too, where the umask is the operator's."""
    var = tmp_path / "var"
    env = {"PATH": os.environ["PATH"], "VAR_DIR": str(var), "ENV_FILE": os.devnull, "SECRET_KEY": "x"}
    env |= {"PORTAL_URL": "http://localhost", "FIELD_ENCRYPTION_KEYS": "WvGZ3K3cE8mXn6J0V2wS1d7xq0m0yq9b8yq3T1c2b3A="}
    subprocess.run([sys.executable, "manage.py", "check"], cwd=ROOT, env=env, check=True, umask=0o022)
    assert open_to_others(var) == []


def command(*words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    env = {"PATH": os.environ["PATH"], "ENV_FILE": os.devnull} | environment
    return subprocess.run([sys.executable, *words], cwd=ROOT, env=env, capture_output=True, text=True, check=False)


def test_commands_find_the_demonstration_by_its_file(tmp_path: Path) -> None:
    """In another terminal, which knows nothing of what `make run` made up."""
    make = "import sys, pathlib, demo.__main__ as demo; demo.VAR = pathlib.Path(sys.argv[1]); demo.environment()"
    assert command("-c", make, str(tmp_path), PYTHONPATH=str(ROOT)).returncode == 0
    found = command("manage.py", "check", ENV_FILE=str(tmp_path / "demo.env"), VAR_DIR=str(tmp_path))
    assert (found.returncode, found.stderr) == (0, "")


def test_the_demonstration_leaves_the_database_of_a_portal_in_service_alone(tmp_path: Path) -> None:
    (tmp_path / "in-service.env").write_text("DATABASE_URL=postgres://portal@db/portal\nREDIS_URL=redis://db/0\n")
    ask = (
        "import os, sys, pathlib, demo.__main__ as demo; demo.VAR = pathlib.Path(sys.argv[1]); "
        "os.environ |= demo.environment(); from partner_portal import settings; "
        "print(settings.DATABASES['default']['ENGINE'], settings.REDIS_URL or 'no Redis')"
    )
    asked = command(
        "-c",
        ask,
        str(tmp_path),
        ENV_FILE=str(tmp_path / "in-service.env"),
        VAR_DIR=str(tmp_path),
        PYTHONPATH=str(ROOT),
    )
    assert asked.stdout.splitlines()[-1:] == ["django.db.backends.sqlite3 no Redis"], asked.stderr


def test_a_command_without_settings_ends_with_a_sentence() -> None:
    said = command("manage.py", "doctor").stderr
    assert said.startswith("Set the environment variable SECRET_KEY")
    assert said.count("\n") == 1


def test_a_port_in_use_is_said_with_the_way_to_another() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = command("-m", "demo.ports", PORT=port)
    assert (said.returncode, said.stdout) == (1, "")
    assert f"Port {port} is in use" in said.stderr
    assert "make run PORT=<port>" in said.stderr


@pytest.mark.parametrize(
    "ports", [{"PORT": "x"}, {"SANDBOX_PORT": "70000"}, {"PORT": "9500", "SANDBOX_PORT": "9500"}]
)
def test_ports_that_cannot_be_are_refused(ports: dict[str, Any]) -> None:
    said = command("-m", "demo.ports", **ports)
    assert (said.returncode, said.stderr.count("\n")) == (1, 1)
