"""The examples of proxies, run by the programs they are for: they buffer, name the caller, take long addresses."""

import email
import email.message
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from socketserver import BaseRequestHandler, StreamRequestHandler, ThreadingTCPServer

import pytest

from tests.end_to_end.portal import ROOT, Port, Program, wait_for


@dataclass
class Upstream:
    """What stands where the portal would: it notes each connection and each request. Port 0 is a free one."""

    number: int = 0
    connections: int = 0
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        noted = self

        class Handler(StreamRequestHandler):
            def handle(self) -> None:
                noted.connections += 1
                while line := self.rfile.readline():
                    headers = email.message_from_string("".join(iter(lambda: self._line(), "\r\n")))
                    length = headers.get("Content-Length")
                    body = self.rfile.read(int(length)) if length else self._chunks(headers)
                    named = {name.lower(): value for name, value in headers.items()}
                    noted.requests.append((line.decode().split(" ")[1], named, body))
                    self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

            def _line(self) -> str:
                return self.rfile.readline().decode()

            def _chunks(self, headers: email.message.Message) -> bytes:
                body = b""
                while headers.get("Transfer-Encoding") and (size := int(self._line(), 16)):
                    body += self.rfile.read(size + 2)[:-2]
                return body

        self.server = ThreadingTCPServer(("127.0.0.1", self.number), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        return self.server.server_address[1]


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    upstream = Upstream()
    yield upstream
    upstream.server.shutdown()


def nginx(folder: Path, port: int, upstream: int) -> list[str]:
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    names = ["-subj", "/CN=portal.example.com", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(
        ["openssl", "req", "-x509", "-nodes", "-newkey", "rsa:2048", *names], check=True, capture_output=True
    )
    site = (ROOT / "deploy/nginx.conf").read_text()
    for before, after in {
        r"listen 80;": f"listen 127.0.0.1:{port};",
        r"listen 443 ": f"listen unix:{folder}/tls.sock ",
        r"/etc/letsencrypt/\S+/fullchain.pem": str(certificate),
        r"/etc/letsencrypt/\S+/privkey.pem": str(key),
        r"/var/log/nginx": str(folder),
        r"127\.0\.0\.1:8000": f"127.0.0.1:{upstream}",
    }.items():
        site, count = re.subn(before, after, site)
        assert count, before
    temporary = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    places = "".join(f"{name}_temp_path {folder}/{name};\n" for name in temporary)
    config = folder / "nginx.conf"
    own = f"daemon off; pid {folder}/pid; error_log {folder}/error.log; events {{}}\n"
    config.write_text(f"{own}http {{\n{places}{site}}}\n")
    command = ["nginx", "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(config)]
    subprocess.run([*command, "-t"], check=True, capture_output=True)
    return command


def caddy(folder: Path, port: int, upstream: int) -> list[str]:
    site = (ROOT / "deploy/Caddyfile").read_text()
    version = subprocess.run(["caddy", "version"], check=True, capture_output=True, text=True).stdout
    if version.lstrip("v").startswith("2.6."):
        site = site.replace("request_buffers 2MiB", "buffer_requests")  # what it was called until 2.7
    command = ["caddy", "validate", "--adapter", "caddyfile", "--config"]
    config = folder / "Caddyfile"
    config.write_text(site)
    subprocess.run([*command, str(config)], check=True, capture_output=True)
    names = "http://{$PORTAL_HOST:portal.example.com}, https://{$PORTAL_HOST:portal.example.com}"
    assert names in site
    assert "remote_ip private_ranges" in site
    # Whoever tests comes from such a network.
    site = site.replace("remote_ip private_ranges", "remote_ip 10.0.0.0/8")
    site = site.replace(names, f"http://portal.example.com:{port}").replace(":8000}", f":{upstream}}}")
    config.write_text(site.replace("{\n", "{\n\tadmin off\n", 1))
    return ["caddy", "run", "--adapter", "caddyfile", "--config", str(config)]


@pytest.fixture(params=[nginx, caddy], ids=lambda program: program.__name__)
def proxy(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, upstream: Upstream
) -> Iterator[int]:
    """The port of the proxy that stands before `upstream`."""
    with running(request.param, tmp_path_factory.mktemp("p"), upstream.port) as port:
        yield port


@contextmanager
def running(make: Callable[[Path, int, int], list[str]], folder: Path, upstream: int) -> Iterator[int]:
    """The port of the proxy that `make` gives the command of, before the port `upstream`."""
    name = make.__name__
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed.")
    port = Port()
    command = make(folder, port.number, upstream)
    port.free()
    program = Program(command, {"PATH": "/usr/bin:/usr/sbin:/bin", "HOME": str(folder)}, folder / "log")
    try:
        wait_for(lambda: _answers(port.number), f"{name} listens")
        yield port.number
    finally:
        program.kill()


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def send(port: int, request: bytes) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    connection.sendall(request)
    return connection


def head(path: str, *more: str, method: str = "POST") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: portal.example.com", *more, "", ""]).encode()


def test_a_body_is_passed_on_once_it_is_whole(proxy: int, upstream: Upstream) -> None:
    slow = [send(proxy, head("/slow", "Content-Length: 500") + b"{") for _ in range(20)]
    quick = send(proxy, head("/quick", "Content-Length: 2") + b"{}")
    assert quick.recv(1000).startswith(b"HTTP/1.1 200")
    time.sleep(0.5)  # what must not happen has had the time to
    assert [path for path, _headers, _body in upstream.requests] == ["/quick"]
    assert upstream.connections == 1
    for connection in slow:
        connection.sendall(b" " * 498 + b"}")
        assert connection.recv(1000).startswith(b"HTTP/1.1 200")
    assert len(upstream.requests) == 21


def test_a_body_in_chunks_is_passed_on_whole(proxy: int, upstream: Upstream) -> None:
    answer = send(proxy, head("/", "Transfer-Encoding: chunked") + b"2\r\n{}\r\n0\r\n\r\n").recv(1000)
    assert answer.startswith(b"HTTP/1.1 200")
    (_path, _headers, body), *_ = upstream.requests
    assert body == b"{}"


def test_the_caller_and_the_scheme_are_the_proxys_own(proxy: int, upstream: Upstream) -> None:
    forged = ("X-Forwarded-For: 10.9.8.7", "X-Forwarded-Proto: https", "Content-Length: 2")
    assert send(proxy, head("/", *forged) + b"{}").recv(1000).startswith(b"HTTP/1.1 200")
    (_path, headers, _body), *_ = upstream.requests
    assert headers["x-forwarded-for"].rsplit(",", 1)[-1].strip() == "127.0.0.1"
    assert headers["x-forwarded-proto"] == "http"
    assert headers["host"].startswith("portal.example.com")


def test_the_address_of_the_longest_chain_comes_through(proxy: int, upstream: Upstream) -> None:
    path = "/connect/?" + "&".join(f"salon_ids[]={10**9 + number}" for number in range(5000))
    assert len(path) > 100_000
    assert send(proxy, head(path, method="GET")).recv(1000).startswith(b"HTTP/1.1 200")
    assert upstream.requests[0][0] == path


@pytest.mark.parametrize("path", ["/metrics/", "/metrics", "//metrics", "/%6Detrics", "/metrics%2F", "/x/../metrics"])
def test_the_numbers_are_for_the_own_network_in_any_spelling(proxy: int, upstream: Upstream, path: str) -> None:
    status = send(proxy, head(path, method="GET")).recv(1000).split(b" ")[1]
    assert status in (b"403", b"404")
    assert upstream.requests == []


@pytest.mark.parametrize("program", [nginx, caddy], ids=lambda program: program.__name__)
def test_an_address_that_failed_is_written_down_nowhere(
    tmp_path: Path, program: Callable[[Path, int, int], list[str]]
) -> None:
    """Neither where the portal hangs up, nor where nginx cannot store a body, which is worse trouble to it."""
    path = "/connect/?user_data=signed-by-altegio"
    portal = ThreadingTCPServer(("127.0.0.1", 0), BaseRequestHandler)
    threading.Thread(target=portal.serve_forever, daemon=True).start()
    with running(program, tmp_path, portal.server_address[1]) as proxy:
        assert send(proxy, head(path, "Content-Length: 2") + b"{}").recv(1000).startswith(b"HTTP/1.1 502")
        shutil.rmtree(tmp_path / "client_body", ignore_errors=True)
        large = head(path, "Content-Length: 100000") + b" " * 100_000
        assert send(proxy, large).recv(1000).startswith(b"HTTP/1.1 50")
    portal.shutdown()
    portal.server_close()

    written = {file.name: file.read_text() for file in tmp_path.rglob("*") if file.is_file()}
    assert '"status":502' in written["log"] or "/connect/ 502" in written["portal.log"], "the trouble itself is told"
    assert [name for name, text in written.items() if "signed-by-altegio" in text] == []


@pytest.mark.parametrize("network", ["127.0.0.1", "185.45.152.40/30"])
@pytest.mark.parametrize(
    ("program", "file", "before"),
    [(nginx, "nginx.conf", "    location / {"), (caddy, "Caddyfile", "\treverse_proxy {$PORTAL_UPSTREAM")],
    ids=["nginx", "caddy"],
)
def test_the_key_that_zadarma_does_not_send_comes_from_the_proxy(
    tmp_path: Path,
    upstream: Upstream,
    network: str,
    program: Callable[[Path, int, int], list[str]],
    file: str,
    before: str,
) -> None:
    page = (ROOT / "docs" / "exchanges.md").read_text(encoding="utf-8")
    [place] = re.findall(rf"^```{program.__name__}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)

    @wraps(program)
    def with_place(folder: Path, port: int, portal: int) -> list[str]:
        command = program(folder, port, portal)
        own = place.replace("185.45.152.40/30", network).replace("127.0.0.1:8000", f"127.0.0.1:{portal}")
        config = folder / file
        assert before in config.read_text()
        config.write_text(config.read_text().replace(before, f"{own}{before}"))
        return command

    address = "/zadarma/a-long-random-word/"
    with running(with_place, tmp_path, upstream.port) as port:
        for request in (head(f"{address}?zd_echo=17", method="GET"), head(address, "Content-Length: 2") + b"{}"):
            status = send(port, request).recv(1000).split(b" ")[1]
            assert status == (b"200" if network == "127.0.0.1" else b"403")
        send(port, head("/zadarma/", "Content-Length: 2") + b"{}").recv(1000)

    *own, (_path, of_another, _body) = upstream.requests
    assert "authorization" not in of_another
    if network == "127.0.0.1":
        mapped = "/api/v1/telephony/exchanges/zadarma/"
        assert [path for path, _headers, _body in own] == [f"{mapped}?zd_echo=17", mapped]
        _path, headers, _body = own[1]
        assert headers["authorization"] == "Api-Key the-key"
        assert (headers["host"], headers["x-forwarded-for"]) == ("portal.example.com", "127.0.0.1")
    else:
        assert own == []


def test_a_request_waits_at_caddy_while_the_portal_restarts(tmp_path: Path) -> None:
    place = Port()
    with running(caddy, tmp_path, place.number) as proxy:
        waiting = send(proxy, head("/connect/", "Content-Length: 2") + b"{}")
        waiting.settimeout(0.5)
        with pytest.raises(TimeoutError):
            waiting.recv(1000)
        place.free()
        upstream = Upstream(place.number)
        waiting.settimeout(10)

        assert waiting.recv(1000).startswith(b"HTTP/1.1 200")
        assert [path for path, _headers, _body in upstream.requests] == ["/connect/"]
        upstream.server.shutdown()
