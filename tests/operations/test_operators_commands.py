"""What an operator types twice, or on two hosts at the same moment, ends in a sentence."""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import User
from partner_portal.core import command_lock
from partner_portal.core.command_lock import alone_on_database
from tests.end_to_end.stores import make_database

ROOT = Path(__file__).resolve().parents[2]
SUPERUSER = {"DJANGO_SUPERUSER_EMAIL": "first@partner.example", "DJANGO_SUPERUSER_PASSWORD": "correct horse battery"}


@pytest.fixture
def at_once(tmp_path: Path) -> Iterator[Any]:
    """Runs a command three times at the same moment on an empty database; what each wrote, and its exit status."""
    database = make_database(tmp_path, os.environ)
    env = {
        "PATH": os.environ["PATH"], "ENV_FILE": os.devnull, "VAR_DIR": str(tmp_path / "var"), "SECRET_KEY": "x",
        "PORTAL_URL": "http://localhost", "FIELD_ENCRYPTION_KEYS": "WvGZ3K3cE8mXn6J0V2wS1d7xq0m0yq9b8yq3T1c2b3A=",
        "DATABASE_URL": database.url, **SUPERUSER,
    }  # fmt: skip

    def one(command: str) -> tuple[int, str]:
        arguments = [sys.executable, "manage.py", *shlex.split(command)]
        done = subprocess.run(arguments, cwd=ROOT, env=env, capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    def run(command: str) -> list[tuple[int, str]]:
        with ThreadPoolExecutor(3) as threads:
            return sorted(threads.map(one, [command] * 3))

    yield run
    database.drop()


def test_releases_and_first_administrators_at_once(at_once: Any) -> None:
    migrated = at_once("migrate --noinput -v0")
    assert [status for status, _said in migrated] == [0, 0, 0]
    assert any("this one waits" in said for _status, said in migrated)
    made = at_once("createsuperuser --noinput")
    assert [status for status, _said in made] == [0, 1, 1]
    assert not [said for _status, said in made if "Traceback" in said]
    assert "is there already" in made[1][1]


def test_an_administrator_before_the_tables_is_told_what_is_missing(at_once: Any) -> None:
    for status, said in at_once("createsuperuser --noinput"):
        assert status == 1
        assert "manage.py migrate" in said
        assert "Traceback" not in said


@pytest.mark.django_db
@pytest.mark.parametrize("spelling", ["first@partner.example", "First@Partner.example"])
def test_the_same_administrator_twice(monkeypatch: pytest.MonkeyPatch, spelling: str) -> None:
    User.objects.create_user("first@partner.example", "correct horse battery")
    for name, value in (SUPERUSER | {"DJANGO_SUPERUSER_EMAIL": spelling}).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(CommandError, match="is there already"):
        call_command("createsuperuser", "--noinput")
    assert not User.objects.get().is_staff


@pytest.mark.django_db(transaction=True)
def test_a_release_does_not_wait_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command_lock, "MAX_WAIT", 0.0)
    said: list[str] = []
    with (
        alone_on_database(connection, "migrate", tmp_path, said.append),
        pytest.raises(CommandError, match="has not ended"),
        alone_on_database(connection, "migrate", tmp_path, said.append),
    ):
        pass
    with alone_on_database(connection, "migrate", tmp_path, said.append):
        assert said == []
