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


IN_SERVICE = {
    "DATABASE_URL": "postgres://portal@db/portal",
    "REDIS_URL": "redis://db/0",
    "ALTEGIO_PARTNER_TOKEN": "the-real-one",
    "ALTEGIO_APPLICATION_ID": "77",
    "ALTEGIO_APP_URL": "https://app.alteg.io",
    "ALTEGIO_API_URL": "https://api.alteg.io/api/v1",
}
ASK = """
import os, sys, pathlib
import demo.__main__ as demo
demo.VAR = pathlib.Path(sys.argv[1])
env = demo.environment()
os.environ.clear()
os.environ.update(env)
from partner_portal import settings as its
database = its.DATABASES["default"]
file = pathlib.Path(database["NAME"]).relative_to(demo.VAR)
print(database["ENGINE"].rpartition(".")[2], file, its.REDIS_URL or "no Redis")
print(pathlib.Path(its.CELERY_BROKER_TRANSPORT_OPTIONS["data_folder_in"]).relative_to(demo.VAR))
print(its.ALTEGIO_PARTNER_TOKEN, its.ALTEGIO_APPLICATION_ID, its.ALTEGIO_APP_URL, its.ALTEGIO_API_URL)
print(its.BRAND.name)
"""
ITS_OWN = [
    "sqlite3 portal.sqlite3 no Redis",
    "broker/messages",
    "demo-token 1 http://localhost:8010 http://localhost:8010/api/v1",
    "Heron",
]


@pytest.mark.parametrize("exported", [True, False])
def test_the_demonstration_leaves_a_portal_in_service_and_the_real_altegio_alone(
    tmp_path: Path, exported: bool
) -> None:
    """Whether the shell names them or a file does. Of all else what the shell says counts."""
    (tmp_path / "in-service").mkdir()
    file = tmp_path / "in-service.env"
    file.write_text("".join(f"{name}={value}\n" for name, value in IN_SERVICE.items()))
    elsewhere = {"VAR_DIR": str(tmp_path / "in-service"), "EMBEDDED_BROKER_DIR": str(tmp_path / "in-service")}
    shell = IN_SERVICE | elsewhere if exported else {"ENV_FILE": str(file)}
    (tmp_path / "var").mkdir()
    asked = command("-c", ASK, str(tmp_path / "var"), PYTHONPATH=str(ROOT), BRAND_NAME="Heron", **shell)
    assert asked.stdout.splitlines()[-4:] == ITS_OWN, asked.stderr
    assert list((tmp_path / "in-service").iterdir()) == []


def test_what_the_shell_names_in_vain_is_said() -> None:
    """A command in that shell would still go there."""
    say = "import os, demo.__main__ as demo; print(demo._not_taken(os.environ))"
    shell = {"REDIS_URL": "redis://db/0", "DATABASE_URL": "", "ALTEGIO_APP_URL": "http://localhost:8010"}
    said = command("-c", say, PYTHONPATH=str(ROOT), **shell)
    assert said.stdout == "['REDIS_URL']\n", said.stderr


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
