"""The sandbox's program has a control API, a data file and a command line."""

import json
import os
import signal
import subprocess
import sys
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from sandbox import Sandbox, Status
from sandbox.limits import busiest
from sandbox.models import Partner
from tests.not_none import not_none
from tests.sandbox.conftest import EMMA, LONDON, MANCHESTER, Caller

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def control(sandbox: Sandbox) -> Callable[..., requests.Response]:
    def call(method: str, path: str, body: Any = None, **query: Any) -> requests.Response:
        address = f"{sandbox.app_url}/_sandbox/{path}"
        return requests.request(method, address, json=body, params=query, timeout=5)

    return call


def test_a_test_in_another_process_can_do_the_same(
    sandbox: Sandbox, altegio: Caller, control: Callable[..., requests.Response]
) -> None:
    granted = control("POST", "grant", {"salon_ids": [LONDON, MANCHESTER], "user_id": EMMA}).json()
    assert granted["url"].startswith(f"{sandbox.portal_url}/connect/?salon_ids")
    altegio.activate()
    assert control("POST", "freeze", {"salon_id": LONDON}).ok
    assert control("POST", "pay", {"salon_id": LONDON, "amount": 10.5}).json() == {"id": 1001}
    assert sandbox.status_of(LONDON) == Status.ACTIVE
    assert control("POST", "uninstall", {"salon_id": LONDON}).ok
    assert control("GET", "state").json()["connections"][0]["status"] == "uninstalled"
    assert len(control("POST", "chains", {"locations": 3}).json()["salon_ids"]) == 3


def test_the_cards_show_whose_the_applications_are(sandbox: Sandbox) -> None:
    sandbox.partner = Partner("Bluebird SMS", ROOT / "demo/bluebird.svg")
    page = requests.get(sandbox.app_url, timeout=5).text
    assert page.count("Bluebird SMS · ") == page.count('src="/partner-logo"') == 3
    logo = requests.get(f"{sandbox.app_url}/partner-logo", timeout=5)
    assert (logo.headers["Content-Type"], logo.text[:4]) == ("image/svg+xml", "<svg")


def test_faults_settings_and_the_log_by_control(
    sandbox: Sandbox, altegio: Caller, control: Callable[..., requests.Response]
) -> None:
    number = control("POST", "faults", {"kind": "error", "call": "status", "status": 502}).json()["id"]
    assert [rule["id"] for rule in control("GET", "faults").json()] == [number]
    altegio.status()
    log = control("GET", "requests", call="status").json()
    assert (log["busiest_second"], log["requests"][0]["code"]) == (1, 502)
    assert control("POST", "settings", {"callback_delay": 0.5}).json()["callback_delay"] == 0.5
    assert control("POST", "reset").ok
    assert control("GET", "requests").json()["requests"] == []
    assert control("GET", "settings").json()["callback_delay"] == 0


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("settings", {"nonsense": 1}),
        ("settings", {"callback_copies": "two"}),
        ("faults", {"kind": "earthquake"}),
        ("grant", {}),
        ("grant", [1]),
    ],
)
def test_a_mistake_in_the_control_is_named(control: Callable[..., requests.Response], path: str, body: Any) -> None:
    answer = control("POST", path, body)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_a_second_run_goes_on_with_the_same_data(tmp_path: Path) -> None:
    data = tmp_path / "var" / "sandbox.json"
    with Sandbox(data=data) as first:
        first.grant(LONDON, user_id=EMMA)
        caller = Caller(first)
        caller.activate(webhook_urls=["http://localhost:8000/x"])
        caller.pay()
        before = first.connection(LONDON)
    with Sandbox(data=data) as second:
        assert second.connection(LONDON) == before
        assert [item.name for item in data.parent.iterdir()] == ["sandbox.json"]


@contextmanager
def running_program(folder: Path, *options: str) -> Iterator[str]:
    """Run `python -m sandbox` and yield the address that it prints; stop it at the end."""
    command = [sys.executable, "-m", "sandbox", "--port", "0", *options]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder, env=environment) as program:
        yield not_none(program.stdout).readline().split()[2]
        program.send_signal(signal.SIGTERM)
        assert program.wait(timeout=10) == 0


def test_the_program_saves_when_it_is_stopped(tmp_path: Path) -> None:
    data = tmp_path / "sandbox.json"
    with running_program(tmp_path, "--data", str(data)) as address:
        assert requests.post(f"{address}/_sandbox/grant", json={"salon_id": LONDON}, timeout=5).ok
    assert '"pending"' in data.read_text()


def test_the_program_sends_the_address_that_it_prints(tmp_path: Path) -> None:
    """The portal is configured with that address, and accepts statuses for no other."""
    with running_program(tmp_path) as address:
        body = {"salon_id": LONDON, "user_id": EMMA}
        url = requests.post(f"{address}/_sandbox/grant", json=body, timeout=5).json()["url"]
    data = json.loads(b64decode(parse_qs(urlsplit(url).query)["user_data"][0]))
    assert data["avatar"].startswith(f"{address}/")


def test_a_stopped_sandbox_answers_nobody_even_on_a_kept_line() -> None:
    sandbox = Sandbox().start()
    caller = Caller(sandbox)
    assert caller.status().status_code == 404
    sandbox.stop()
    with pytest.raises(requests.ConnectionError):
        caller.status()


def test_the_busiest_window_is_found_wherever_it_lies() -> None:
    assert busiest([0.0, 0.9, 1.0, 1.1, 1.85, 1.95], 1.0) == 4
    assert busiest([], 1.0) == 0


def test_the_sandbox_imports_nothing_but_itself_pydantic_and_the_standard_library() -> None:
    allowed = sys.stdlib_module_names | {"sandbox", "pydantic", "pydantic_core"}
    for path in (ROOT / "sandbox").rglob("*.py"):
        lines = [line.split() for line in path.read_text().splitlines() if line.startswith(("import ", "from "))]
        assert {words[1].split(".")[0] for words in lines} <= allowed, path
