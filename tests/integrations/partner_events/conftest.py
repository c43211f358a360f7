"""Fixtures: a partner's own system that takes webhooks, and its address in the portal."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

import pytest
from django.utils import timezone
from standardwebhooks import Webhook

from integrations.connections.models import Application
from integrations.partner_events.deliver import deliver_due
from integrations.partner_events.endpoints import new_endpoint
from integrations.partner_events.fan_out import fan_out
from integrations.partner_events.models import WebhookDelivery, WebhookEndpoint


class Partner(ThreadingHTTPServer):
    """The partner's own system, which keeps what it accepted and answers as configured, or with 204."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), PartnerHandler)
        self.received: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        self.extra: dict[str, str] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hooks"

    def verified(self, secret: str) -> list[dict[str, Any]]:
        """Return the received events, each verified by the library that a partner would use."""
        return [cast("dict[str, Any]", Webhook(secret).verify(body, headers)) for headers, body in self.received]

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _body in self.received]


class PartnerHandler(BaseHTTPRequestHandler):
    server: Partner
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(self.server.answers.pop(0) if self.server.answers else 204)
        for name, value in {"Content-Length": "0", **self.server.extra}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        """Log nothing."""


@pytest.fixture
def partner(settings: Any) -> Iterator[Partner]:
    server = Partner()
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    settings.EVENTS_ALLOW_PRIVATE = True
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def endpoint(db: None, partner: Partner) -> WebhookEndpoint:
    """Return an address that subscribes to everything."""
    return new_endpoint(partner.url, [], None, "the partner's system")


def go_out() -> None:
    """Do what beat and the workers do until nothing is due."""
    fan_out()
    deliver_due()


def due_now() -> None:
    """Let all pauses pass."""
    WebhookDelivery.objects.filter(state="waiting").update(due_at=timezone.now())
    WebhookEndpoint.objects.update(rests_until=None)


@pytest.fixture
def application(db: None) -> Application:
    return Application.objects.create(altegio_id=1, name="Beacon", kind="sms")
