"""An HTTP exchange ends in time with an answer or a failure, and never with the previous exchange's answer."""

import gzip
import os
import resource
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from partner_portal.core.http_client import kept_lines, sockets
from partner_portal.core.http_client.exchange import Failure, HttpAnswer, HttpRequest, NoAnswer, exchange
from partner_portal.core.http_client.retry_after import seconds_to_wait
from tests.core.http_client.outcomes import answered, failed
from tests.unkind_server import OK, Script, Talk, UnkindServer, at_most, say, unkind_server

END = 0.4
MAX_COUNT = 100_000
LONG = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"


@pytest.fixture
def server() -> Iterator[UnkindServer]:
    with unkind_server() as server:
        yield server


def exchanged(server: UnkindServer, method: str = "POST", **options: Any) -> HttpAnswer | NoAnswer:
    body = b"{}" if method == "POST" else None
    wanted = {"timeout": END, "max_body": MAX_COUNT, "keep": True} | options
    return exchange(HttpRequest(method, f"{server.url}/a?b=1", body=body), **wanted)


def ask(server: UnkindServer, method: str = "POST", **options: Any) -> HttpAnswer:
    return answered(exchanged(server, method, **options))


def trickled(data: bytes) -> Script:
    return lambda talk: talk.trickle(data)


def silent_after(data: bytes) -> Script:
    def play(talk: Talk) -> None:
        talk.say(data)
        talk.silence()

    return play


def hangs_up_after(data: bytes) -> Script:
    def play(talk: Talk) -> None:
        talk.say(data)
        talk.hang_up()

    return play


NEVER_ENDING = {
    "the status line": trickled(b"HTTP/1.1 200 OK" + b"x" * 500),
    "headers": trickled(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 500),
    "a body": trickled(LONG + b"z" * 5000),
    "a refusal's body": trickled(LONG.replace(b"200", b"422") + b"z" * 5000),
    "an error's body": trickled(LONG.replace(b"200", b"500") + b"z" * 5000),
    "chunks": trickled(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nz\r\n" * 500),
    "trailers": trickled(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"A: b\r\n" * 500),
    "a body until the end of the line": trickled(b"HTTP/1.1 200 OK\r\n\r\n" + b"z" * 5000),
    "silence": lambda talk: talk.silence(),
    "silence after the headers": silent_after(LONG),
    "100 Continue, slowly": lambda talk: talk.repeat(b"HTTP/1.1 100 Continue\r\n\r\n", pause=0.1),
}


@pytest.mark.parametrize("script", NEVER_ENDING.values(), ids=NEVER_ENDING)
def test_the_deadline_holds_for_every_part_of_an_answer(server: UnkindServer, script: Any) -> None:
    server.will(script)
    with at_most(END + 0.4):
        outcome = exchanged(server)
    assert outcome == NoAnswer(Failure.TIMEOUT, "No complete answer within the time-out.")


WRONG = {
    "100 Continue without end": (lambda talk: talk.repeat(b"HTTP/1.1 100 Continue\r\n\r\n"), Failure.BROKEN),
    "103 without end": (lambda talk: talk.repeat(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"), Failure.BROKEN),
    "a switch of protocols": (say(b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n"), Failure.BROKEN),
    "headers without end": (lambda talk: talk.repeat(b"X: " + b"y" * 4000 + b"\r\n"), Failure.BROKEN),
    "a header of 300 KB": (say(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 300_000 + b"\r\n\r\n"), Failure.BROKEN),
    "NUL in a header": (say(b"HTTP/1.1 200 OK\r\nX: \x00\r\nContent-Length: 0\r\n\r\n"), Failure.BROKEN),
    "a header without a colon": (say(b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n"), Failure.BROKEN),
    "two lengths": (say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"), Failure.BROKEN),
    "a negative length": (say(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"), Failure.BROKEN),
    "a chunk of no size": (say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), Failure.BROKEN),
    "another protocol": (say(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), Failure.BROKEN),
    "half a body": (hangs_up_after(LONG + b"half"), Failure.BROKEN),
    "nothing": (hangs_up_after(b""), Failure.BROKEN),
}


@pytest.mark.parametrize(("script", "failure"), WRONG.values(), ids=WRONG)
def test_an_invalid_answer_is_a_failure_with_a_reason(server: UnkindServer, script: Any, failure: Failure) -> None:
    server.will(script)
    with at_most(END + 0.4):
        answer = failed(exchanged(server))
    assert answer.failure == failure
    assert answer.why


LOCATIONS = [b"http://[bad/", b"\xe9", b"http://a:99999999/", b"//", b"\x01", b"a" * 20_000, b"javascript:1"]


@pytest.mark.parametrize("location", LOCATIONS)
@pytest.mark.parametrize("status", [b"301", b"302", b"308"])
def test_a_redirect_is_ignored_entirely(server: UnkindServer, status: bytes, location: bytes) -> None:
    server.will(say(b"HTTP/1.1 %s Moved\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % (status, location)))
    assert ask(server).status == int(status)


def test_a_redirects_body_is_not_read(server: UnkindServer) -> None:
    sent = []

    def play(talk: Talk) -> None:
        talk.say(b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 9437184\r\n\r\n")
        for _ in range(9 * 16):
            talk.say(b"x" * 65536)
            sent.append(1)

    server.will(play)
    answer = ask(server, timeout=5)
    assert (answer.status, answer.body, answer.cut) == (302, b"", True)
    assert len(sent) < 9 * 16


def test_only_the_beginning_of_a_large_body_is_read(server: UnkindServer) -> None:
    server.will(say(b"HTTP/1.1 200 OK\r\nContent-Length: 9437184\r\n\r\n" + b"x" * (MAX_COUNT + 70_000)), say(OK))
    answer = ask(server)
    assert (len(answer.body), answer.cut) == (MAX_COUNT, True)
    assert ask(server).body == b"{}"


def test_a_small_packed_body_may_hold_a_large_one(server: UnkindServer) -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    server.will(say(head + bomb))
    answer = ask(server, timeout=5)
    assert (answer.body, answer.cut) == (b"0" * MAX_COUNT, True)


def test_a_packed_body_is_unpacked(server: UnkindServer) -> None:
    packed = gzip.compress(b'{"success": true}')
    server.will(
        say(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed)
    )
    assert ask(server).body == b'{"success": true}'


def numbered(number: int) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d" % number


UNTIDY = {
    "103 before the answer": say(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + numbered(1)),
    "100 before the answer": say(b"HTTP/1.1 100 Continue\r\n\r\n", numbered(1)),
    "another answer behind it": say(numbered(1) + numbered(7)),
    "another answer a little later": say(numbered(1), numbered(7), pause=0.05),
    "bytes left over": say(numbered(1) + b"left over"),
    "an unfinished answer behind it": say(numbered(1) + b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"),
    "Connection: close, and staying": say(numbered(1).replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")),
    "HTTP/1.0": say(numbered(1).replace(b"1.1", b"1.0")),
}


@pytest.mark.parametrize("script", UNTIDY.values(), ids=UNTIDY)
def test_a_connection_that_misbehaved_is_not_reused(server: UnkindServer, script: Any) -> None:
    server.will(script, say(numbered(2)))
    assert ask(server).body == b"1"
    time.sleep(0.1)
    assert ask(server).body == b"2"
    assert server.connections == 2


def test_a_connection_closed_late_loses_no_call(server: UnkindServer) -> None:
    server.will(hangs_up_after(numbered(1)), say(numbered(2)))
    assert ask(server).body == b"1"
    time.sleep(0.05)
    assert ask(server).body == b"2"


def test_a_connection_that_was_idle_for_long_is_not_trusted(
    server: UnkindServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("partner_portal.core.http_client.kept_lines.MAX_REST", 0.0)
    server.will(say(OK))
    ask(server)
    ask(server)
    assert server.connections == 2


def test_regular_answers_share_a_connection(server: UnkindServer) -> None:
    server.will(say(OK))
    assert [ask(server).status for _ in range(5)] == [200] * 5
    assert server.connections == 1


HERE, NOWHERE = "127.0.0.1", "127.0.0.2"


def exchanged_at(server: UnkindServer, *addresses: str, name: str = "name.example") -> HttpAnswer | NoAnswer:
    """Exchange with the server under a name whose addresses were just checked."""
    url = f"http://{name}:{server.url.rpartition(':')[2]}/a?b=1"
    return exchange(HttpRequest("GET", url, addresses=addresses), timeout=2, max_body=MAX_COUNT, keep=True)


def test_a_connection_is_reused_in_whichever_order_its_names_addresses_come(server: UnkindServer) -> None:
    server.will(say(OK))
    answered(exchanged_at(server, HERE, NOWHERE))
    answered(exchanged_at(server, NOWHERE, HERE))
    assert server.connections == 1


def test_a_connection_to_an_address_that_its_name_has_left_is_closed(server: UnkindServer) -> None:
    server.will(say(OK))
    answered(exchanged_at(server, HERE))
    assert failed(exchanged_at(server, NOWHERE)).failure == Failure.NO_LINE
    assert server.left.acquire(timeout=5)


def test_a_connection_to_an_unchecked_address_is_not_used_for_checked_ones(server: UnkindServer) -> None:
    server.will(say(OK))
    ask(server)
    answered(exchanged_at(server, HERE, name="127.0.0.1"))
    assert server.connections == 2


def test_a_connection_that_was_idle_for_long_is_closed_at_the_next_exchange_with_anybody(
    server: UnkindServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.will(say(OK))
    ask(server)
    later = time.monotonic() + kept_lines.MAX_REST
    monkeypatch.setattr(time, "monotonic", lambda: later)
    with unkind_server() as other:
        other.will(say(OK))
        ask(other)
    assert server.left.acquire(timeout=5)


def test_a_thread_keeps_few_connections(server: UnkindServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_lines, "MAX_KEPT", 2)
    server.will(say(OK))
    for name in ("a.example", "b.example", "a.example", "c.example", "a.example", "b.example"):
        answered(exchanged_at(server, HERE, name=name))
    assert server.connections == 4, "b's gave way to c's, and c's to b's"
    assert [server.left.acquire(timeout=5) for _ in range(2)] == [True, True]


@pytest.mark.parametrize(("method", "said"), [("POST", True), ("GET", False)])
def test_a_post_without_a_body_says_that_its_length_is_0(server: UnkindServer, method: str, said: bool) -> None:
    """RFC 9110, 8.6 asks for it, and some servers answer 411 otherwise."""
    server.will(say(OK))
    exchange(HttpRequest(method, server.url), timeout=END, max_body=MAX_COUNT)
    assert (b"content-length: 0" in server.requests[0].lower()) is said


def test_a_time_out_leaves_no_answer_for_the_next_call(server: UnkindServer) -> None:
    def late(talk: Talk) -> None:
        talk.silence(END + 0.2)
        talk.say(numbered(1))

    server.will(late, say(numbered(2)))
    assert isinstance(exchanged(server), NoAnswer)
    time.sleep(0.3)
    assert ask(server).body == b"2"


def test_an_answer_before_the_request_was_read_is_heard(server: UnkindServer) -> None:
    """Proxies refuse a large request like this: they answer and hang up."""
    listening = socket.create_server(("127.0.0.1", 0))

    def refuse() -> None:
        line, _ = listening.accept()
        line.recv(100)
        line.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        line.shutdown(socket.SHUT_WR)
        while line.recv(65536):
            pass
        line.close()

    threading.Thread(target=refuse, daemon=True).start()
    url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
    answer = exchange(HttpRequest("POST", url, body=b"x" * 3_000_000), timeout=5, max_body=MAX_COUNT)
    assert answered(answer).status == 413


def test_the_deadline_holds_while_sending() -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
    with at_most(END + 0.4):
        answer = exchange(HttpRequest("POST", url, body=b"x" * 50_000_000), timeout=END, max_body=MAX_COUNT)
    assert failed(answer).failure == Failure.TIMEOUT


def test_the_deadline_holds_for_a_trickling_handshake(server: UnkindServer) -> None:
    listening = socket.create_server(("127.0.0.1", 0))

    def hum() -> None:
        line, _ = listening.accept()
        try:
            for byte in b"\x16\x03\x03\x40\x00" + b"x" * 400:
                line.sendall(bytes([byte]))
                time.sleep(0.05)
        except OSError:
            line.close()

    threading.Thread(target=hum, daemon=True).start()
    with at_most(END + 0.4):
        url = f"https://127.0.0.1:{listening.getsockname()[1]}/"
        answer = exchange(HttpRequest("GET", url), timeout=END, max_body=MAX_COUNT)
    assert failed(answer).failure == Failure.NO_LINE


def test_the_deadline_holds_during_name_resolution(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: asked.wait(5) and [])
    with at_most(END + 0.4):
        outcome = exchange(HttpRequest("GET", "http://slow.example/"), timeout=END, max_body=MAX_COUNT)
    asked.set()
    assert outcome == NoAnswer(Failure.NO_LINE, "The name was not resolved in time.")


def test_hanging_name_resolutions_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "_resolving", threading.BoundedSemaphore(2))
    asked = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: asked.wait(5) and [])
    before = threading.active_count()
    for _ in range(4):
        exchange(HttpRequest("GET", "http://slow.example/"), timeout=0.1, max_body=MAX_COUNT)
    assert threading.active_count() - before <= 2
    asked.set()


def test_the_first_of_several_addresses_may_be_dead(server: UnkindServer, monkeypatch: pytest.MonkeyPatch) -> None:
    port = int(server.url.rpartition(":")[2])
    answers = [(2, 1, 6, "", (ip, port)) for ip in ("127.0.0.2", "127.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: answers)
    server.will(say(OK))
    answer = exchange(HttpRequest("GET", f"http://two.example:{port}/"), timeout=2, max_body=MAX_COUNT)
    assert answered(answer).status == 200


@pytest.mark.parametrize(
    "url", ["", "ftp://a/", "http://", "http://[bad/", "http://a:x/", f"http://{'a' * 70}.example/", "http://a..b/"]
)
def test_an_invalid_address_is_a_failure_too(url: str) -> None:
    answer = exchange(HttpRequest("GET", url), timeout=END, max_body=MAX_COUNT)
    assert failed(answer).failure == Failure.UNSENDABLE


@pytest.mark.parametrize("value", ["a\r\nX: 1", "a\x00", "\ud83d"])
def test_a_header_that_would_break_the_request_is_not_sent(server: UnkindServer, value: str) -> None:
    answer = exchange(HttpRequest("GET", server.url, headers={"X-A": value}), timeout=END, max_body=MAX_COUNT)
    assert (failed(answer).failure, server.requests) == (Failure.UNSENDABLE, [])


def test_only_the_headers_are_awaited_when_the_body_does_not_matter(server: UnkindServer) -> None:
    server.will(trickled(b"HTTP/1.1 204 No Content\r\n\r\n"), silent_after(LONG))
    assert ask(server, timeout=5, max_body=0).status == 204
    with at_most(1):
        assert ask(server, timeout=5, max_body=0).status == 200


NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("20", 20),
        (" 0 ", 0),
        ("Wed, 25 Nov 2026 12:00:30 GMT", 30),
        ("Wed, 25 Nov 2026 11:00:00 GMT", 0),
        ("9" * 5000, 3600),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 3600),
        ("Fri, 31 Dec 9999 23:59:59 -2359", 3600),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("soon", None),
        ("Wed, 99 Nov 2026 12:00:30 GMT", None),
    ],
)
def test_the_requested_pause_is_read(value: str, seconds: int | None) -> None:
    assert seconds_to_wait(value, NOW) == seconds


def test_a_kept_connection_is_reused_in_a_process_with_many_open_files(server: UnkindServer) -> None:
    server.scripts = [say(OK)]
    assert isinstance(exchanged(server), HttpAnswer)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    with ExitStack() as files:
        files.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        while files.enter_context(Path(os.devnull).open()).fileno() < 1100:
            continue
        with ThreadPoolExecutor(1) as thread:
            answers = [thread.submit(ask, server).result() for _ in range(2)]
    assert [isinstance(answer, HttpAnswer) for answer in answers] == [True, True]
