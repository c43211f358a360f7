"""What may be lost or away: the broker's messages, the web process after its commit, Altegio itself."""

import sys
from pathlib import Path

import requests

from sandbox import Sandbox
from tests.end_to_end.conftest import EMMA, Arrive
from tests.end_to_end.portal import (
    PARTNER_TOKEN,
    PER_MINUTE,
    PER_SECOND,
    Port,
    Portal,
    Program,
    activations,
    once,
    wait_for,
)


def test_an_emptied_broker_loses_no_call(portal: Portal, altegio: Sandbox, arrive: Arrive) -> None:
    page, locations = arrive(30)
    portal.broker.empty()
    portal.start_worker("-B", ALTEGIO_REQUESTS_PER_SECOND="10")
    wait_for(lambda: len(altegio.requests("activate")) > 5, "the first calls have been made")
    portal.broker.empty()

    portal.wait_until_active(page)
    assert activations(altegio, locations) == once(locations)


def test_a_web_process_killed_after_its_commit_loses_no_call(
    portal: Portal, altegio: Sandbox, arrive: Arrive
) -> None:
    page, locations = arrive(3)
    portal.web.kill()
    portal.broker.empty()
    portal.start_worker("-B")
    portal.start_web()

    portal.wait_until_active(page)
    assert activations(altegio, locations) == once(locations)


def test_a_worker_told_to_stop_ends_soon_with_nothing_in_hand(
    portal: Portal, altegio: Sandbox, arrive: Arrive
) -> None:
    arrive(200)
    worker = portal.start_worker("-B")
    wait_for(lambda: len(altegio.requests("activate")) > 5, "the first calls have been made")
    worker.stop()
    assert portal.calls("state = 'sending'") == 0
    assert portal.calls("state = 'queued'") > 0


def test_a_worker_outlives_altegio_and_goes_on_when_it_is_back(portal: Portal, tmp_path: Path) -> None:
    port = Port()
    address = f"http://127.0.0.1:{port.number}"
    command = [sys.executable, "-m", "sandbox", "--port", str(port.number), "--portal-url", portal.url]
    command += ["--partner-token", PARTNER_TOKEN, "--data", str(tmp_path / "sandbox.json")]
    command += ["--requests-per-second", str(PER_SECOND), "--requests-per-minute", str(PER_MINUTE)]

    def start_altegio() -> Program:
        program = Program(command, {"PATH": ""}, tmp_path / "sandbox.log")
        wait_for(lambda: "Sandbox Altegio" in (tmp_path / "sandbox.log").read_text(), "the sandbox listens")
        return program

    altegio = start_altegio()
    granted = {"salon_ids": [10101, 10102, 10103], "user_id": EMMA}
    url = requests.post(f"{address}/_sandbox/grant", json=granted, timeout=5).json()["url"]
    altegio.stop()
    (tmp_path / "sandbox.log").unlink()
    page = portal.url + portal.page(url).headers["Location"]
    worker = portal.start_worker("-B", ALTEGIO_APP_URL=address)
    wait_for(
        lambda: portal.calls("kind = 'activate' AND state = 'unconfirmed' AND setbacks > 0") == 3,
        "every call was set back",
    )
    altegio = start_altegio()
    try:
        portal.wait_until_active(page)
        assert worker.is_running
        log = requests.get(f"{address}/_sandbox/requests", params={"call": "activate"}, timeout=5).json()
        accepted = [call["location_id"] for call in log["requests"] if call["processed"]]
        assert sorted(accepted) == granted["salon_ids"]
    finally:
        altegio.stop()
        port.free()
