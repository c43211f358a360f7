"""The cabinets of docs/handover.md accept an owner whom the portal hands over, and nobody else."""

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ec
from django.http import HttpRequest
from pytest_django.fixtures import Settings

from chaos.servers import free_port
from integrations.connections.models import Connection
from integrations.handover.keys import signing_key
from integrations.handover.tokens import make_token
from integrations.handover.views import jwks
from tests.not_none import not_none

pytestmark = pytest.mark.django_db
EXAMPLES = Path(__file__).parents[3] / "examples" / "handover"
NODE = shutil.which("node")
CABINETS = {
    "python": [sys.executable, str(EXAMPLES / "cabinet.py")],
    "node": [NODE or "", str(EXAMPLES / "cabinet.mjs")],
}
Open = Callable[[str], requests.Response]


@pytest.fixture
def portal(settings: Settings, connection: Connection) -> Iterator[str]:
    """Yield the portal's address, where its present keys are served."""
    request = HttpRequest()
    request.method = "GET"
    signing_key()
    body = jwks(request).content

    class Keys(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/.well-known/jwks.json" else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Keys)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    settings.PORTAL_URL = f"http://127.0.0.1:{server.server_address[1]}"
    yield settings.PORTAL_URL
    server.shutdown()
    server.server_close()


@pytest.fixture(params=CABINETS)
def visit(request: pytest.FixtureRequest, portal: str) -> Iterator[Open]:
    """Yield a function that visits the example's cabinet with a token and returns its answer."""
    if request.param == "node" and NODE is None:
        pytest.skip("Node is not installed.")
    port = free_port()
    environment = {**os.environ, "PORTAL_URL": portal, "APPLICATION_ID": "1"}
    process = subprocess.Popen([*CABINETS[request.param], str(port)], env=environment)

    def run(token: str) -> requests.Response:
        return requests.get(f"http://127.0.0.1:{port}/open", params={"token": token}, timeout=10)

    try:
        wait_for(run)
        yield run
    finally:
        process.kill()
        process.wait()


def wait_for(visit: Open) -> None:
    ends_at = time.monotonic() + 20
    while True:
        try:
            visit("x")
        except requests.ConnectionError:
            if time.monotonic() > ends_at:
                raise
            time.sleep(0.05)
        else:
            return


def token_of(connection: Connection) -> str:
    return make_token(connection, not_none(connection.owner))


def changed(connection: Connection, **claims: Any) -> str:
    """Return a token with other claims, also signed by the portal."""
    read = jwt.decode(token_of(connection), options={"verify_signature": False})
    key = signing_key()
    return jwt.encode({**read, **claims}, key.private_key, "ES256", headers={"kid": key.kid})


def test_an_owner_is_let_in_once(visit: Open, connection: Connection) -> None:
    token = token_of(connection)
    first = visit(token)
    assert (first.status_code, "customer C-1, location 10101" in first.text) == (200, True)
    again = visit(token)
    assert (again.status_code, "used before" in again.text) == (403, True)
    assert visit(token_of(connection)).status_code == 200


WRONG: dict[str, Callable[[Connection], str]] = {
    "for another application": lambda connection: changed(connection, aud="altegio:2"),
    "of another portal": lambda connection: changed(connection, iss="https://evil.example"),
    "too old": lambda connection: changed(connection, iat=int(time.time()) - 90, exp=int(time.time()) - 30),
    "of the future": lambda connection: changed(connection, iat=int(time.time()) + 90, exp=int(time.time()) + 150),
    "without an id": lambda connection: changed(connection, jti=None),
    "signed by another key": lambda connection: forged(connection, kid=signing_key().kid),
    "of an unknown key": lambda connection: forged(connection, kid="other"),
    "not signed": lambda connection: jwt.encode(
        jwt.decode(token_of(connection), options={"verify_signature": False}), "", "none"
    ),
    "cut": lambda connection: token_of(connection)[:-4],
    "nothing": lambda _connection: "",
}


def forged(connection: Connection, kid: str) -> str:
    read = jwt.decode(token_of(connection), options={"verify_signature": False})
    return jwt.encode(read, ec.generate_private_key(ec.SECP256R1()), "ES256", headers={"kid": kid})


def test_nobody_else_is_let_in(visit: Open, connection: Connection) -> None:
    let_in = [name for name, make in WRONG.items() if visit(make(connection)).status_code != 403]
    assert let_in == []
    assert visit(token_of(connection)).status_code == 200
