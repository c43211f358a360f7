"""HTTP connections of production check certificates, are kept under TLS, and may pass a proxy."""

import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from partner_portal.core.http_client import kept_lines, sockets
from partner_portal.core.http_client.exchange import Failure, HttpAnswer, HttpRequest, NoAnswer, exchange
from tests.core.http_client.outcomes import answered, failed
from tests.unkind_server import OK, _read_request, at_most

NAME = "altegio.test"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a file with a key and its own certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return str(file)


class TlsServer:
    """A server that answers every request with 200 and counts its connections."""

    def __init__(self, certificate: str) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.connections = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            line, _address = self._listening.accept()
            self.connections += 1
            threading.Thread(target=self._serve, args=(line,), daemon=True).start()

    def _serve(self, line: socket.socket) -> None:
        try:
            with self._context.wrap_socket(line, server_side=True) as secured:
                while _read_request(secured):
                    secured.sendall(OK)
        except OSError:
            return


@pytest.fixture
def server(certificate: str, monkeypatch: pytest.MonkeyPatch) -> TlsServer:
    context = ssl.create_default_context(cafile=certificate)
    monkeypatch.setattr(sockets, "_context", lambda: context)
    monkeypatch.setattr(kept_lines._local, "lines", {}, raising=False)
    resolve = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *args, **kwargs: resolve("127.0.0.1" if host == NAME else host, *args, **kwargs),
    )
    return TlsServer(certificate)


def ask(port: int, host: str = NAME) -> HttpAnswer | NoAnswer:
    return exchange(HttpRequest("GET", f"https://{host}:{port}/"), timeout=3, max_body=1000, keep=True)


def test_a_tls_connection_is_kept(server: TlsServer) -> None:
    assert [answered(ask(server.port)).status for _ in range(4)] == [200] * 4
    assert server.connections == 1


def test_another_hosts_certificate_is_not_accepted(server: TlsServer) -> None:
    answer = failed(ask(server.port, "localhost"))
    assert answer.failure == Failure.NO_LINE
    assert answer.why.startswith("The certificate is not accepted")


def test_a_peer_without_tls_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(
            target=lambda: listening.accept()[0].sendall(b"HTTP/1.1 200 OK\r\n\r\n"), daemon=True
        ).start()
        answer = failed(ask(listening.getsockname()[1], "127.0.0.1"))
    assert answer.failure == Failure.NO_LINE


class TunnelProxy:
    """A proxy that forwards to a port of this machine, or answers as configured."""

    def __init__(self, to: int, answer: bytes = b"HTTP/1.1 200 Connection established\r\n\r\n") -> None:
        self._to, self._answer = to, answer
        self.asked: list[bytes] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://me:p%40ss@127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            line, _address = self._listening.accept()
            self.asked.append(_read_request(line))
            line.sendall(self._answer)
            if b" 200 " in self._answer:
                there = socket.create_connection(("127.0.0.1", self._to))
                for source, target in ((line, there), (there, line)):
                    threading.Thread(target=_pass_on, args=(source, target), daemon=True).start()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        return


def test_calls_go_through_the_hosts_proxy(server: TlsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = TunnelProxy(server.port)
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    assert answered(ask(server.port)).status == 200
    assert proxy.asked[0].splitlines() == [
        b"CONNECT %s:%d HTTP/1.1" % (NAME.encode(), server.port),
        b"Host: %s:%d" % (NAME.encode(), server.port),
        b"Proxy-Authorization: Basic bWU6cEBzcw==",
    ]


def test_excluded_hosts_are_called_without_the_proxy(server: TlsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", NAME)
    assert answered(ask(server.port)).status == 200


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 407 No\r\n\r\n", b"SSH-2.0\r\n\r\n", b"", b"HTTP/1.1 204 OK\r\n\r\nmore", b"x" * 70_000]
)
def test_a_proxy_that_refuses_the_tunnel_is_reported(
    server: TlsServer, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", TunnelProxy(server.port, answer).url)
    with at_most(3.5):
        outcome = exchange(HttpRequest("GET", f"https://{NAME}:{server.port}/"), timeout=1, max_body=1000)
    assert failed(outcome).failure == Failure.NO_LINE


@pytest.mark.parametrize("url", ["socks5://a:1", "http://a:x", "http://"])
def test_an_unreadable_proxy_setting_is_reported(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", url)
    assert "HTTPS_PROXY" in failed(ask(443)).why
