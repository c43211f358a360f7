"""The files for going live agree with the portal: processes, variables, alerts, the pages they point to."""

import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.roles import Role
from integrations.alerts.models import Alert
from integrations.backoffice.health import CHECKS, note_heartbeat
from tests.not_none import not_none

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
PROCFILE = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
ALERTS = [
    rule for group in yaml.safe_load((ROOT / "docs/alerts.yaml").read_text())["groups"] for rule in group["rules"]
]
OPERATIONS = (ROOT / "docs/operations.md").read_text()


def test_compose_runs_what_the_procfile_runs() -> None:
    services = COMPOSE["services"]
    asked_for = {name for name, service in services.items() if "profiles" in service}
    assert set(services) - asked_for == {*PROCFILE, "postgres", "redis"}
    assert services["worker"]["command"] == PROCFILE["worker"]
    assert services["beat"]["command"] == PROCFILE["beat"]
    assert services["release"]["command"] in PROCFILE["release"]
    words = not_none(re.search(r"^CMD (\[.*\])$", (ROOT / "Dockerfile").read_text(), re.MULTILINE))[1]
    assert " ".join(yaml.safe_load(words)) == PROCFILE["web"]


def test_what_runs_for_long_is_examined_and_no_process_is_root() -> None:
    for name, service in COMPOSE["services"].items():
        assert name in ("release", "backup") or service["healthcheck"]["test"]
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert dockerfile.index("\nUSER portal\n") < dockerfile.index("\nCMD ")


@pytest.mark.parametrize(
    ("file", "pattern"),
    [("nginx.conf", r"upstream portal \{[^}]*keepalive_timeout (\d+)s;"), ("Caddyfile", r"\bkeepalive (\d+)s\b")],
)
def test_a_proxy_gives_a_resting_line_up_before_the_portal_closes_it(file: str, pattern: str) -> None:
    proxys = int(not_none(re.search(pattern, (ROOT / "deploy" / file).read_text()))[1])
    portals: int = runpy.run_path(str(ROOT / "gunicorn.conf.py"))["keepalive"]
    assert proxys + 2 <= portals


def test_every_volume_is_declared() -> None:
    used = {volume.split(":")[0] for service in COMPOSE["services"].values() for volume in service.get("volumes", [])}
    assert {name for name in used if not name.startswith(".")} == set(COMPOSE["volumes"])


def test_no_visitor_comes_to_the_proxy_under_dockers_own_address() -> None:
    assert all(port.startswith("0.0.0.0:") for port in COMPOSE["services"]["proxy"]["ports"])


def test_no_log_grows_without_end() -> None:
    for service in COMPOSE["services"].values():
        assert service["logging"]["options"] == {"max-size": "10m", "max-file": "5"}


def test_a_worker_is_well_without_a_web_process(capsys: pytest.CaptureFixture[str]) -> None:
    words = COMPOSE["services"]["worker"]["healthcheck"]["test"][3:]
    with pytest.raises(CommandError, match="No worker has given a sign of life"):
        call_command(*words)
    note_heartbeat()
    call_command(*words)
    assert capsys.readouterr().out == "Ready.\n"


@pytest.mark.skipif(connection.vendor != "postgresql", reason="The backup is PostgreSQL's.")
@pytest.mark.skipif(shutil.which("pg_dump") is None, reason="pg_dump is not installed.")
def test_the_backup_is_made_and_can_be_read(tmp_path: Path) -> None:
    """DATABASE_URL comes from `.env`, with a parameter of the portal's own behind it."""
    given = connection.settings_dict
    host, port = given["HOST"] or "localhost", given["PORT"] or 5432
    url = f"postgres://{given['USER']}:{given['PASSWORD']}@{host}:{port}/{given['NAME']}"
    (tmp_path / ".env").write_text(f"DATABASE_URL={url}?conn_max_age=60\n")
    made = subprocess.check_output(
        [ROOT / "deploy" / "backup.sh", tmp_path / "dumps"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},
        text=True,
        timeout=120,
    )
    listed = subprocess.check_output(["pg_restore", "--list", made.strip()], text=True, timeout=60)

    assert "connections_connection" in listed
    assert [file.name for file in (tmp_path / "dumps").iterdir()] == [Path(made.strip()).name]


def test_no_backup_goes_through_a_pooler(tmp_path: Path) -> None:
    """pg_dump would leave its search path on a connection that the portal gets next."""
    url = "postgres://portal:word@pgbouncer:6432/portal?DISABLE_SERVER_SIDE_CURSORS=True"
    made = subprocess.run(
        [ROOT / "deploy" / "backup.sh", tmp_path / "dumps"],
        env={"PATH": os.environ["PATH"], "DATABASE_URL": url},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (made.returncode, "past it" in made.stderr, "word" in made.stderr) == (1, True, False)


@pytest.mark.parametrize("quote", ["", "'", '"'])
@pytest.mark.parametrize(
    ("account", "password"),
    [("portal", ""), ("portal:word", "word"), ("portal:%40%2F%25a+b%3A%5C:c", "@/%a+b:\\:c"), ("portal:", "")],
)
def test_the_backup_shows_no_password_among_the_programs(
    tmp_path: Path, account: str, password: str, quote: str
) -> None:
    """The portal's own parameters are left out, and how the line is kept secret is not."""
    own = "conn_max_age=600&sslmode=verify-full&conn_max_age=60&sslrootcert=/ca.pem"
    (tmp_path / ".env").write_text(f"DATABASE_URL={quote}postgres://{account}@db:5432/portal?{own}{quote}\n")
    program = tmp_path / "pg_dump"
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > told; printf %s "${PGPASSWORD-}" > secret; false\n')
    program.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    tried = subprocess.run(
        [ROOT / "deploy" / "backup.sh", "dumps"], cwd=tmp_path, env=environment, timeout=60, check=False
    )
    assert tried.returncode == 1
    address = (tmp_path / "told").read_text().splitlines()[-1]
    assert address == "--dbname=postgres://portal@db:5432/portal?sslmode=verify-full&sslrootcert=/ca.pem"
    assert (tmp_path / "secret").read_text() == password


@pytest.mark.parametrize("has_file", [True, False])
def test_a_backup_without_an_address_says_so(tmp_path: Path, has_file: bool) -> None:
    if has_file:
        (tmp_path / ".env").write_text("")
    tried = subprocess.run(
        [ROOT / "deploy" / "backup.sh", tmp_path / "dumps"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (tried.returncode, "DATABASE_URL is set neither" in tried.stderr) == (1, True)


def test_only_what_is_named_gets_into_the_image_and_no_secret_is() -> None:
    """A file of secrets or a dump may have any name; what is not named stays outside."""
    first, *others = _ignored()
    assert first == "*"
    assert [line for line in others if line.startswith("!") and not re.fullmatch(r"!\w[\w.]*", line)] == []
    assert {"**/.*", "**/__pycache__"} == {line for line in others if not line.startswith("!")}


def test_what_gets_into_the_image_is_a_whole_portal(settings: Settings, tmp_path: Path) -> None:
    """What the Dockerfile copies is there, and with nothing else the code loads and the files are collected."""
    for name in [line[1:] for line in _ignored() if line.startswith("!")]:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        else:
            shutil.copy(ROOT / name, tmp_path)
    copied = re.findall(r"^COPY (?!--)(\S+) ", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    read = [*settings.LOCALE_PATHS, *settings.STATICFILES_DIRS, *settings.TEMPLATES[0]["DIRS"]]
    assert all((tmp_path / name).exists() for name in [*copied, *(folder.relative_to(ROOT) for folder in read)])

    key = Fernet.generate_key().decode()
    own = {"SECRET_KEY": "build", "PORTAL_URL": "http://localhost", "FIELD_ENCRYPTION_KEYS": key}
    environment = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", **own}
    for command in (
        "python manage.py check",
        "python manage.py collectstatic --noinput",
        "gunicorn partner_portal.wsgi --config gunicorn.conf.py --check-config",
        "celery -A partner_portal report",
    ):
        subprocess.run(command.split(), cwd=tmp_path, env=environment, check=True, capture_output=True, timeout=120)


def _ignored() -> list[str]:
    return [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]


@pytest.fixture
def metrics(client: Client, settings: Settings) -> set[str]:
    settings.METRICS_TOKEN = "x"
    page = client.get("/metrics/", headers={"Authorization": "Bearer x"}).content.decode()
    return set(re.findall(r"^# TYPE (\w+?)(?:_gsum|_gcount)? ", page, re.MULTILINE))


def test_every_alert_looks_at_a_metric_that_there_is(metrics: set[str]) -> None:
    for rule in ALERTS:
        asked = {name.removesuffix("_bucket") for name in re.findall(r"portal_\w+", rule["expr"])}
        assert asked <= metrics, rule["alert"]


def anchors(markdown: str) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", markdown, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_every_alert_says_what_to_do(rule: dict[str, Any]) -> None:
    page, _, anchor = rule["annotations"]["action"].partition("#")
    assert page == "docs/operations.md"
    assert anchor in anchors(OPERATIONS)


def test_the_page_names_every_metric_and_every_retention(metrics: set[str], settings: Settings) -> None:
    retentions = {name for name in dir(settings) if re.fullmatch(r"\w*RETENTION\w*_DAYS", name)}
    missing = {name for name in metrics | retentions if f"`{name}`" not in OPERATIONS}
    assert not missing


@pytest.mark.parametrize("kind", Alert.Kind)
def test_the_page_says_what_to_do_at_each_kind_of_alert(kind: Alert.Kind) -> None:
    assert f"\n| `{kind.value}` | {kind.label} | " in OPERATIONS


@pytest.mark.parametrize("name", CHECKS)
def test_the_page_names_whatever_readyz_may_find_wrong(name: str) -> None:
    health = OPERATIONS.partition("## Health\n")[2].partition("\n## ")[0]
    assert f"`{name}`" in health


@pytest.mark.parametrize("role", Role)
def test_the_page_says_what_each_group_may(role: Role) -> None:
    assert f"\n| {role.value} | " in OPERATIONS


def test_every_file_the_pages_name_is_there() -> None:
    for page in ("operations", "architecture", "security", "scale"):
        text = (ROOT / f"docs/{page}.md").read_text()
        for path in re.findall(r"`((?:[\w.-]+/)+[\w.-]*)`", text):
            if not path.startswith(("var/", "application/")):
                assert (ROOT / path).exists(), f"{page}: {path}"
