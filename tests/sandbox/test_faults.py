"""Each fault shows the caller, over real HTTP, what it should, and has the right effect at Altegio."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from sandbox import Sandbox, Status
from sandbox.faults import KINDS
from tests.end_to_end.portal import wait_for
from tests.sandbox.conftest import LONDON, MANCHESTER, Caller


@pytest.fixture
def granted(sandbox: Sandbox, altegio: Caller) -> Caller:
    sandbox.grant([LONDON, MANCHESTER])
    return altegio


def test_the_page_names_every_kind() -> None:
    page = Path("sandbox/README.md").read_text(encoding="utf-8")
    assert {kind for kind in KINDS if f"`{kind}`" not in page} == set()


def test_an_error_prevents_the_call(sandbox: Sandbox, granted: Caller) -> None:
    sandbox.fault("error", "activate", status=503, headers={"Retry-After": "7"}, body={"why": "rain"})
    answer = granted.activate()
    assert (answer.status_code, answer.headers["Retry-After"], answer.json()) == (503, "7", {"why": "rain"})
    assert sandbox.status_of(LONDON) == Status.PENDING
    assert granted.activate().status_code == 201


def test_an_error_may_be_a_page(sandbox: Sandbox, granted: Caller) -> None:
    sandbox.fault("error", status=502, body="<h1>Bad gateway</h1>")
    answer = granted.activate()
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.text == "<h1>Bad gateway</h1>"


def test_a_connection_cut_before_the_call_leaves_it_undone(sandbox: Sandbox, granted: Caller) -> None:
    sandbox.fault("drop_before", "activate")
    with pytest.raises(requests.ConnectionError):
        granted.activate()
    assert sandbox.status_of(LONDON) == Status.PENDING
    assert not sandbox.requests("activate")[0].processed


def test_a_connection_cut_after_the_call_leaves_it_done(sandbox: Sandbox, granted: Caller) -> None:
    sandbox.fault("drop_after", "activate")
    with pytest.raises(requests.ConnectionError):
        granted.activate()
    assert sandbox.status_of(LONDON) == Status.ACTIVE
    entry = sandbox.requests("activate")[0]
    assert (entry.processed, entry.code) == (True, 0)


def test_a_gateway_gives_up_before_the_call_is_done(sandbox: Sandbox, granted: Caller) -> None:
    sandbox.fault("gateway_timeout", "activate", seconds=0.2)
    answer = granted.activate()
    assert (answer.status_code, answer.headers["Content-Type"].split(";")[0]) == (504, "text/html")
    assert sandbox.status_of(LONDON) == Status.PENDING
    wait_for(lambda: sandbox.status_of(LONDON) == Status.ACTIVE, "the call is done behind the gateway")
    assert sandbox.requests("activate")[0].processed


@pytest.mark.parametrize(
    ("kind", "code"),
    [("html_after", 200), ("redirect_after", 301), ("error_after", 500), ("broken_json_after", 201)],
)
def test_a_corrupted_answer_hides_that_the_call_is_done(
    sandbox: Sandbox, granted: Caller, kind: str, code: int
) -> None:
    sandbox.fault(kind, "activate")
    answer = granted.activate()
    assert answer.status_code == code
    if kind != "error_after":
        with pytest.raises(requests.exceptions.JSONDecodeError):
            answer.json()
    assert sandbox.status_of(LONDON) == Status.ACTIVE


@pytest.mark.parametrize(("kind", "done"), [("delay", Status.PENDING), ("delay_after", Status.ACTIVE)])
def test_a_slow_answer_outlasts_the_caller(sandbox: Sandbox, granted: Caller, kind: str, done: Status) -> None:
    sandbox.fault(kind, "activate", seconds=3)
    with pytest.raises(requests.ReadTimeout):
        granted.post("/marketplace/partner/callback", {"salon_id": LONDON, "application_id": 1}, timeout=1)
    assert sandbox.status_of(LONDON) == done


def test_one_slow_call_does_not_hold_up_the_others(sandbox: Sandbox, granted: Caller) -> None:
    sandbox.fault("delay", "activate", seconds=3.0)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(granted.activate)
        wait_for(lambda: sandbox.requests("activate"), "the slow call has come")
        assert requests.get(f"{sandbox.app_url}/_sandbox/state", timeout=5).status_code == 200
        assert not slow.done()
        assert slow.result().status_code == 201


def test_a_fault_may_strike_one_location_a_number_of_times(sandbox: Sandbox, granted: Caller) -> None:
    sandbox.fault("error", "activate", location_id=LONDON, remaining=2, status=500)
    assert granted.activate(MANCHESTER).status_code == 201
    assert [granted.activate().status_code for _ in range(3)] == [500, 500, 201]


def test_a_fault_for_ever_lasts_until_it_is_cleared(sandbox: Sandbox, granted: Caller) -> None:
    fault = sandbox.fault("error", path="/partner/", method="POST", remaining=None)
    assert [granted.activate().status_code for _ in range(3)] == [500] * 3
    assert granted.status().status_code == 200
    sandbox.clear_faults(fault.id)
    assert granted.activate().status_code == 201


def test_a_fault_that_does_not_exist_is_named(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="kind must be one of"):
        sandbox.fault("earthquake")


def raw(sandbox: Sandbox, seconds: float = 0.3) -> bytes:
    """Return the bytes that arrive within so many seconds after a status call."""
    address = urlsplit(sandbox.app_url)
    with socket.create_connection((address.hostname, address.port)) as line:
        line.sendall(
            f"GET /marketplace/salon/{LONDON}/application/1 HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n"
            f"Authorization: Bearer demo-token\r\nAccept: application/vnd.api.v2+json\r\n\r\n".encode()
        )
        came, ends_at = b"", time.monotonic() + seconds
        while (left := ends_at - time.monotonic()) > 0:
            line.settimeout(left)
            try:
                part = line.recv(65536)
            except TimeoutError:
                break
            if not part:
                return came + b"<closed>"
            came += part
        return came


@pytest.mark.parametrize(
    ("kind", "begins", "holds"),
    [
        ("trickle_head_after", b"HTTP/1.1 200", b""),
        ("trickle_body_after", b"HTTP/1.1 200 OK", b"\r\n\r\n{"),
        ("early_hints_after", b"HTTP/1.1 103 Early Hints", b"HTTP/1.1 200 OK"),
        ("endless_100_after", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100", b""),
        ("leftover_after", b"HTTP/1.1 200 OK", b"}HTTP/1.1 200 OK"),
        ("late_close_after", b"HTTP/1.1 200 OK", b"<closed>"),
        ("broken_location_after", b"HTTP/1.1 301", b"Location: http://[bad/\xe9"),
        ("large_redirect_after", b"HTTP/1.1 302", b"Content-Length: 9437184"),
        ("bad_number_after", b"HTTP/1.1 200 OK", b"1E+999999999999999999999"),
        ("bad_refusal", b"HTTP/1.1 422", b"\\ud83d"),
    ],
)
def test_unkind_manners_on_the_wire(
    sandbox: Sandbox, granted: Caller, kind: str, begins: bytes, holds: bytes
) -> None:
    sandbox.fault(kind, "status", seconds=0.01)
    came = raw(sandbox)
    assert came.startswith(begins)
    assert holds in came
    assert b"200 OK" in raw(sandbox), "the next call is answered as always"


def test_limits_are_sliding_windows_when_switched_on(sandbox: Sandbox, granted: Caller) -> None:
    sandbox.configure(requests_per_second=5)
    answers = [granted.status() for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert answers[-1].headers["Retry-After"] == "1"
    assert sandbox.busiest_second() == 6


def test_a_call_that_outlasts_a_reset_belongs_to_the_old_world(sandbox: Sandbox, granted: Caller) -> None:
    sandbox.fault("delay", "activate", seconds=0.5)
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(granted.activate)
        wait_for(lambda: sandbox.requests("activate"), "the call has come")
        sandbox.reset()
        with pytest.raises(requests.ConnectionError):
            late.result()
