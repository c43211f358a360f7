"""Wrong settings stop the start with an explanation, before they do harm."""

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

import environ
import pytest
from django.core.checks import run_checks
from pytest_django.fixtures import Settings

from partner_portal.core.brand import Brand
from partner_portal.core.console_email import PRINTED
from partner_portal.core.environment import Environment
from tests.core.complete_settings import COMPLETE, ROOT


@pytest.mark.parametrize("missing", list(COMPLETE))
def test_the_start_fails_with_the_name_of_a_missing_setting(missing: str, tmp_path: Path) -> None:
    environment = {name: value for name, value in COMPLETE.items() if name != missing}
    run = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "check"],
        env={"PATH": os.environ["PATH"], **environment},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode != 0
    assert f"Set the environment variable {missing}" in run.stderr.splitlines()[-1]


@pytest.mark.parametrize("written", ["", "portal.example.com"])
def test_the_health_checks_of_this_machine_are_answered_whatever_hosts_are_named(written: str) -> None:
    """Those of `compose.yaml` and of balancers ask under these two names."""
    run = subprocess.run(
        [sys.executable, "-c", "from partner_portal import settings; print(*settings.ALLOWED_HOSTS)"],
        env={"PATH": os.environ["PATH"], "ENV_FILE": os.devnull, **COMPLETE, "ALLOWED_HOSTS": written},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.split() == ["portal.example.com", "localhost", "127.0.0.1"]


def ids(**kwargs: Any) -> set[str]:
    return {str(message.id) for message in run_checks(**kwargs) if str(message.id).startswith("portal.")}


def test_the_suites_own_settings_are_in_order() -> None:
    assert ids() == set()


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("ALTEGIO_APP_URL", "app.alteg.io", "portal.E001"),
        ("ALTEGIO_TIME_ZONE", "Mars/Base", "portal.E002"),
        ("ALTEGIO_PARTNER_TOKEN", "токен", "portal.E003"),
        ("FIELD_ENCRYPTION_KEYS", ["short"], "portal.E004"),
    ],
)
def test_each_wrong_setting_has_its_check(settings: Settings, name: str, value: Any, expected: str) -> None:
    setattr(settings, name, value)
    assert ids() == {expected}


def test_production_wants_https(settings: Settings) -> None:
    settings.BEHIND_HTTPS = False
    assert "portal.W003" in ids(include_deployment_checks=True)


def test_production_wants_a_name_and_a_way_to_help(settings: Settings) -> None:
    wanted = {"portal.W004", "portal.W005"}
    assert wanted <= ids(include_deployment_checks=True)
    settings.BRAND = Brand(name="Bluebird SMS", support_url="https://bluebird.example")
    assert not wanted & ids(include_deployment_checks=True)


def test_production_wants_a_mail_server(settings: Settings) -> None:
    assert "portal.W006" not in ids(include_deployment_checks=True)
    settings.EMAIL_BACKEND = PRINTED
    assert "portal.W006" in ids(include_deployment_checks=True)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("ALTEGIO_APP_URL", "http://app.alteg.io", "portal.W007"),
        ("ALTEGIO_API_URL", "http://api.alteg.io/api/v1", "portal.W007"),
        ("EVENTS_ALLOW_PRIVATE", True, "portal.W008"),
    ],
)
def test_production_allows_no_setting_meant_for_trials(
    settings: Settings, name: str, value: Any, expected: str
) -> None:
    settings.ALTEGIO_APP_URL, settings.ALTEGIO_API_URL = "https://app.alteg.io", "https://api.alteg.io/api/v1"
    settings.EVENTS_ALLOW_PRIVATE = False
    assert expected not in ids(include_deployment_checks=True)
    setattr(settings, name, value)
    assert expected in ids(include_deployment_checks=True)


def test_the_start_fails_with_the_name_of_an_unusable_setting(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "check"],
        env={"PATH": os.environ["PATH"], **COMPLETE, "BRAND_COLOR": "blue"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode != 0
    assert "BRAND_COLOR: 'blue' is no color: write # and six" in run.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("STAFF_TWO_FACTOR", "ja", "is neither true nor false"),
        ("RETENTION_CALLS_DAYS", "-1", "write a whole number from 0 to 36500"),
        ("RETENTION_EMAILS_DAYS", "999999999", "write a whole number from 0 to 36500"),
        ("ALTEGIO_ACTIVATION_WINDOW", "0", "write a whole number from 1 to"),
        ("ALTEGIO_REQUESTS_PER_MINUTE", "many", "write a whole number from 1 to"),
        ("ALTEGIO_TIMEOUT", "nan", "write a number from 0.1 to"),
        ("RECHECK_SHARE", "50%", "write a number from 0 to 1"),
        ("FIELD_ENCRYPTION_KEYS", ",", "there is no key"),
        ("EMAIL_URL", "smtps://user:password@host:465", "write smtp+ssl://"),
        ("EMAIL_URL", "mail.example.com:587", "write smtp+tls://user:password@host:587"),
        ("EMAIL_URL", "smtp+tls://user:pass/word@host:587", "write smtp+tls://user:password@host:587"),
        ("LOG_LEVEL", "verbose", "write DEBUG, INFO, WARNING or ERROR, not 'VERBOSE'"),
        ("PORTAL_URL", "https://example.com/portal", "stands at the root of its host"),
    ],
)
def test_a_value_of_the_wrong_type_stops_the_start(name: str, value: str, said: str, tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "check"],
        env={"PATH": os.environ["PATH"], **COMPLETE, name: value},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode != 0
    assert f"{name}: " in run.stderr.splitlines()[-1]
    assert said in run.stderr.splitlines()[-1]


def test_a_log_level_in_lower_case_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Environment, "ENVIRON", {"LOG_LEVEL": "debug"})
    assert Environment().one_of("LOG_LEVEL", ("DEBUG", "INFO"), default="INFO") == "DEBUG"


def test_every_variable_is_read_strictly() -> None:
    """The library's `env.bool` would take each word that it does not know for no."""
    assert not re.search(r"\benv\.(bool|int|float)\(", (ROOT / "partner_portal/settings.py").read_text())


def test_the_example_lists_every_variable() -> None:
    read = set(
        re.findall(r'(?:env(?:\.\w+)?|required)\(\s*"([A-Z_]+)"', (ROOT / "partner_portal/settings.py").read_text())
    )
    listed = set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert read <= listed


@pytest.mark.parametrize(
    ("written", "expected"),
    [("BIND=127.0.0.1:8001\nWEB_CONCURRENCY=3\n", ("127.0.0.1:8001", 3)), ("BIND=\nPORT=\n", ("0.0.0.0:8000", 2))],
)
def test_gunicorn_listens_where_the_file_of_variables_says(
    written: str, expected: tuple[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "env").write_text(written)
    monkeypatch.setattr(os, "environ", {"ENV_FILE": str(tmp_path / "env")})
    monkeypatch.setattr(environ.Env, "ENVIRON", os.environ)
    found = runpy.run_path(str(ROOT / "gunicorn.conf.py"))
    assert (found["bind"], found["workers"]) == expected


class Example(environ.Env):  # type: ignore[misc]  # it has no types
    ENVIRON: ClassVar[dict[str, str]] = {}


def test_the_example_can_be_used_as_it_stands() -> None:
    """A comment is not a value, and an empty variable is not set."""
    Example.read_env(ROOT / ".env.example")
    assert Example.ENVIRON["ALTEGIO_TIMEOUT"] == "10"
    assert {Example.ENVIRON[name] for name in COMPLETE} == {""}
    assert Example.ENVIRON["ALTEGIO_FRAME_ANCESTORS"] == "https://app.alteg.io https://*.alteg.io"


def test_a_worker_has_more_broker_connections_than_threads(settings: Settings) -> None:
    """Each thread holds a connection while the broker is away; a worker without a spare one ends when it returns."""
    assert settings.CELERY_BROKER_POOL_LIMIT > 2 * settings.CELERY_WORKER_CONCURRENCY
