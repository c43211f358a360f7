"""The files for going live agree with the portal: processes, variables, alerts, the pages they point to."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.test import Client
from pytest_django.fixtures import Settings

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
    assert set(services) == {*PROCFILE, "postgres", "redis"}
    assert services["worker"]["command"] == PROCFILE["worker"]
    assert services["beat"]["command"] == PROCFILE["beat"]
    assert services["release"]["command"] in PROCFILE["release"]
    words = not_none(re.search(r"^CMD (\[.*\])$", (ROOT / "Dockerfile").read_text(), re.MULTILINE))[1]
    assert " ".join(yaml.safe_load(words)) == PROCFILE["web"]


def test_what_runs_for_long_is_examined_and_no_process_is_root() -> None:
    for name, service in COMPOSE["services"].items():
        assert name == "release" or service["healthcheck"]["test"]
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert dockerfile.index("\nUSER portal\n") < dockerfile.index("\nCMD ")


def test_every_volume_is_declared() -> None:
    used = {volume.split(":")[0] for service in COMPOSE["services"].values() for volume in service.get("volumes", [])}
    assert used == set(COMPOSE["volumes"])


def test_no_secret_gets_into_the_image() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert {".env", ".git", "var"} <= set(ignored)


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


def test_every_file_the_pages_name_is_there() -> None:
    for page in ("operations", "architecture", "security", "scale"):
        text = (ROOT / f"docs/{page}.md").read_text()
        for path in re.findall(r"`((?:[\w.-]+/)+[\w.-]*)`", text):
            if not path.startswith(("var/", "application/")):
                assert (ROOT / path).exists(), f"{page}: {path}"
