"""Bodies over real connections to a real gunicorn: in chunks, slow, broken, and many at once."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.client import HTTPResponse
from pathlib import Path
from select import select

import pytest

from tests.end_to_end.portal import PARTNER_TOKEN, ROOT, Portal

SECONDS = 3.0
# Of each of the two processes; the test's own connections are fewer, except where it says so.
PLACES = 250
CALLBACK = json.dumps({"salon_id": 1, "application_id": 1, "event": "test", "partner_token": PARTNER_TOKEN}).encode()
LARGE = "/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js"
PATHS = ("/api/v1/payments/", "/connect/?salon_id=1", "/admin/login/", "/altegio/callback/", "/account/sign-in/")


@pytest.fixture(scope="module")
def host(shared_portal: Portal, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """One more host of the portal for all of these tests, without a process yet."""
    host = shared_portal.another_host(tmp_path_factory.mktemp("bodies") / "host")
    yield host
    host.leave()


@pytest.fixture
def web(host: Portal, tmp_path: Path) -> Portal:
    """The portal's own server settings, with a deadline that a test can wait for, and fewer connections."""
    if host.is_answering:
        return host
    config = tmp_path / "gunicorn.conf.py"
    config.write_text(
        f"exec(open({str(ROOT / 'gunicorn.conf.py')!r}).read())\n"
        f"worker_connections = {PLACES}\n"
        "from partner_portal.core import gunicorn_worker\n"
        f"gunicorn_worker.REQUEST_SECONDS = gunicorn_worker.FIRST_BYTE_SECONDS = {SECONDS}\n"
    )
    host.start_web("gunicorn", "partner_portal.wsgi", "--config", str(config))
    return host


@pytest.fixture
def line(web: Portal) -> Iterator[Callable[..., socket.socket]]:
    """`line()`: a new connection, closed at the end of the test; `line(4096)` takes so many bytes before it reads."""
    lines: list[socket.socket] = []

    def connect(room: int | None = None) -> socket.socket:
        host, port = web.url.removeprefix("http://").split(":")
        lines.append(socket.socket())
        if room:
            lines[-1].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        lines[-1].settimeout(30)
        lines[-1].connect((host, int(port)))
        return lines[-1]

    yield connect
    for one in lines:
        one.close()


def head(path: str = "/altegio/callback/", *more: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", "Content-Type: application/json", *more]
    return "\r\n".join([*lines, "", ""]).encode()


def with_length(body: bytes, length: int | None = None, path: str = "/altegio/callback/") -> bytes:
    return head(path, f"Content-Length: {len(body) if length is None else length}") + body


def status(connection: socket.socket) -> int:
    answer = HTTPResponse(connection)
    answer.begin()
    answer.read()
    return answer.status


def events(web: Portal) -> int:
    rows = web.database.query("SELECT count(*) FROM lifecycle_callback WHERE event = 'test'")
    return int(rows[0][0])


def test_a_body_in_chunks_is_read_at_every_address(web: Portal, line: Callable[..., socket.socket]) -> None:
    before, chunked = events(web), "Transfer-Encoding: chunked"
    connection = line()
    for size in (1, 7, 4096):
        parts = [CALLBACK[at : at + size] for at in range(0, len(CALLBACK), size)]
        connection.sendall(head("/altegio/callback/", chunked))
        for part in parts:
            connection.sendall(b"%x\r\n%s\r\n" % (len(part), part))
        connection.sendall(b"0\r\n\r\n")
        assert status(connection) == 200
    assert events(web) == before + 3
    form = b"email=a%40example.com&password=x"
    connection.sendall(head("/api/v1/payments/", chunked) + b"2\r\n{}\r\n0\r\n\r\n")
    assert status(connection) == 401
    connection.sendall(head("/account/sign-in/", chunked) + b"%x\r\n%s\r\n0\r\n\r\n" % (len(form), form))
    assert status(connection) == 403  # without the token against forged requests


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (head("/altegio/callback/", "Transfer-Encoding: chunked") + b"zz\r\n{}\r\n0\r\n\r\n", 400),
        (head("/api/v1/payments/", "Transfer-Encoding: chunked") + b"400000\r\n" + b"x" * 0x400000, 413),
        (with_length(b"{}", 10**9, "/api/v1/payments/"), 413),
        (with_length(b"x" * 70_000), 413),
        (head("/altegio/callback/", "Content-Length: 2", "Content-Length: 2") + b"{}", 400),
    ],
)
def test_what_is_too_large_or_no_body_is_refused_at_once(
    web: Portal, line: Callable[..., socket.socket], request_: bytes, code: int
) -> None:
    connection, began = line(), time.monotonic()
    connection.sendall(request_)
    assert status(connection) == code
    assert time.monotonic() - began < SECONDS


def test_one_who_asks_whether_to_go_on_is_told_once(web: Portal, line: Callable[..., socket.socket]) -> None:
    connection = line()
    connection.sendall(head("/altegio/callback/", "Expect: 100-continue", f"Content-Length: {len(CALLBACK)}"))
    assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
    connection.sendall(CALLBACK)
    assert status(connection) == 200


def test_however_many_are_slow_the_quick_are_answered(web: Portal, line: Callable[..., socket.socket]) -> None:
    """Slow bodies, slow heads, silent connections, and ones that are answered and never close."""
    before = events(web)
    for number in range(60):
        line().sendall(with_length(b"{", 500, PATHS[number % len(PATHS)]))
        line().sendall(b"GET /healthz/ HT")
        line().sendall(b"GET /healthz/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        line()
    slowest = 0.0
    for _ in range(20):
        began, connection = time.monotonic(), line()
        connection.sendall(with_length(CALLBACK))
        assert status(connection) == 200
        slowest = max(slowest, time.monotonic() - began)
    assert events(web) == before + 20
    assert slowest < SECONDS / 2


def test_answers_that_nobody_reads_hold_nobody_up(web: Portal, line: Callable[..., socket.socket]) -> None:
    before = events(web)
    for _ in range(30):
        connection = line(4096)
        connection.sendall(f"GET {LARGE} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    began = time.monotonic()
    for _ in range(10):
        connection = line()
        connection.sendall(with_length(CALLBACK))
        assert status(connection) == 200
    assert events(web) == before + 10
    assert time.monotonic() - began < 2 * SECONDS


def test_a_large_answer_comes_whole_to_one_who_reads_slowly(web: Portal, line: Callable[..., socket.socket]) -> None:
    whole = web.page(LARGE).content
    assert len(whole) > 1_000_000
    connection = line(4096)
    for _ in range(2):
        connection.sendall(f"GET {LARGE} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        answer = HTTPResponse(connection)
        answer.begin()
        time.sleep(0.3)  # the thread has long gone on
        assert answer.read() == whole


def test_a_body_that_trickles_ends_at_its_deadline(web: Portal, line: Callable[..., socket.socket]) -> None:
    connections, began = [line() for _ in PATHS], time.monotonic()
    for connection, path in zip(connections, PATHS, strict=True):
        connection.sendall(with_length(b"{", 500, path))
    answered: dict[socket.socket, bytes] = {}
    while len(answered) < len(PATHS) and time.monotonic() - began < 3 * SECONDS:
        for connection in select(connections, [], [], 0.2)[0]:
            answered[connection] = connection.recv(65536)
        connections = [connection for connection in connections if connection not in answered]
        for connection in connections:
            connection.sendall(b" ")
    assert [answer[:13] for answer in answered.values()] == [b"HTTP/1.1 408 "] * len(PATHS)
    assert SECONDS - 0.5 < time.monotonic() - began < SECONDS + 2


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET /healthz/ HT",
        b"GET /healthz/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /healthz/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"nonsense\r\n\r\n",
    ],
)
def test_a_crowd_that_takes_all_connections_keeps_nobody_out(
    web: Portal, line: Callable[..., socket.socket], sent: bytes
) -> None:
    """Silent ones, slow ones, ones that rest after an answer, and ones that have been sent away and stay."""
    before, crowd = events(web), [line() for _ in range(3 * PLACES)]
    for one in crowd:
        with suppress(OSError):
            one.sendall(sent)
    began = time.monotonic()
    for _ in range(10):
        connection = line()
        connection.sendall(with_length(CALLBACK))
        assert status(connection) == 200
    assert events(web) == before + 10
    assert time.monotonic() - began < SECONDS + 1


def test_the_process_ends_when_it_is_told_to_though_answers_are_not_read(
    web: Portal, line: Callable[..., socket.socket]
) -> None:
    for _ in range(8):
        # More than the kernel takes for its reader.
        line(4096).sendall(6 * f"GET {LARGE} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    time.sleep(SECONDS)
    assert web.page("/healthz/").ok
    web.web.stop()


def test_no_header_moves_the_portal_to_another_path(web: Portal) -> None:
    """A proxy on the same host may pass on what strangers send; gunicorn takes it from there by default."""
    assert web.page("/healthz/", headers={"SCRIPT_NAME": "/healthz", "PATH_INFO": "/x/"}).text == "ok"
