"""Fixtures: a sandbox with a stopped clock, a caller that speaks as the portal does, and a listening portal."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests

from sandbox import Sandbox

HEADERS = {"Authorization": "Bearer demo-token", "Accept": "application/vnd.api.v2+json"}
LONDON, MANCHESTER, MOSCOW, LISBON = 10101, 10102, 10201, 10401
SMS, TELEPHONY = 1, 2
EMMA, MARIA = 9001, 9002


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **spans: float) -> None:
        self.now += timedelta(**spans)


class Caller:
    """A caller that calls the sandbox as the portal would."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.session = requests.Session()
        self.session.headers.update(HEADERS)

    def post(self, path: str, body: Any = None, **options: Any) -> requests.Response:
        options = {"timeout": 5, "allow_redirects": False} | options
        return self.session.post(self.sandbox.app_url + path, json=body, **options)

    def get(self, path: str, **query: Any) -> requests.Response:
        return self.session.get(self.sandbox.app_url + path, params=query, timeout=5)

    def activate(self, location_id: int = LONDON, application_id: int = SMS, **more: Any) -> requests.Response:
        return self.post(
            "/marketplace/partner/callback",
            {"salon_id": location_id, "application_id": application_id, **more},
        )

    def status(self, location_id: int = LONDON, application_id: int = SMS) -> requests.Response:
        return self.get(f"/marketplace/salon/{location_id}/application/{application_id}")

    def pay(self, location_id: int = LONDON, **more: Any) -> requests.Response:
        body = {
            "salon_id": location_id,
            "application_id": SMS,
            "currency_iso": "EUR",
            "payment_sum": 990.99,
            "payment_date": "2026-03-01 12:00:00",
            "period_from": "2026-03-01 00:00:00",
            "period_to": "2026-03-31 23:59:59",
        }
        return self.post("/marketplace/partner/payment", body | more)

    def refund(self, payment_id: int) -> requests.Response:
        return self.post(f"/marketplace/partner/payment/refund/{payment_id}")

    def name_senders(self, *names: Any) -> requests.Response:
        body = {"salon_id": LONDON, "application_id": SMS, "short_names": list(names)}
        return self.post("/marketplace/partner/short_names", body)

    def report_sms(self, *items: Any, token: str = "demo-token") -> requests.Response:
        return self.post(f"/smsprovider/status/callback/{token}", list(items))

    def voip(self, **body: Any) -> requests.Response:
        return self.post("/api/v1/voip/integration", body)


class Portal(ThreadingHTTPServer):
    """A portal that keeps what Altegio sends, and answers with `answers` in turn, then with 200 and what `reply`
    makes of it.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), PortalHandler)
        self.received: list[tuple[str, Any]] = []
        self.answers: list[int] = []
        self.keys: list[str | None] = []
        self.reply: Callable[[Any], Any] = lambda _body: None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class PortalHandler(BaseHTTPRequestHandler):
    server: Portal

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((self.path, json.loads(body)))
        self.server.keys.append(self.headers["Authorization"])
        reply = self.server.reply(json.loads(body))
        answer = b"" if reply is None else json.dumps(reply).encode()
        self.send_response(self.server.answers.pop(0) if self.server.answers else 200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_args: Any) -> None:
        """Log nothing."""


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def portal() -> Iterator[Portal]:
    server = Portal()
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def sandbox(clock: Clock, portal: Portal) -> Iterator[Sandbox]:
    with Sandbox(portal_url=portal.url, clock=clock) as running:
        yield running


@pytest.fixture
def altegio(sandbox: Sandbox) -> Caller:
    return Caller(sandbox)


@pytest.fixture
def active(sandbox: Sandbox, altegio: Caller) -> Caller:
    """Return a caller whose SMS application is active in London."""
    sandbox.grant(LONDON, SMS, EMMA)
    assert (
        altegio.activate(webhook_urls=[f"{sandbox.portal_url}/altegio/events/abc/"], api_key="first").status_code
        == 201
    )
    return altegio
