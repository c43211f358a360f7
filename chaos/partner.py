"""The partner's own system: it accepts webhooks; when it misbehaves it refuses them, closes, or does not answer."""

import json
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError


@dataclass(frozen=True)
class ReceivedEvent:
    """An event as it was first received."""

    type: str
    data: dict[str, Any]


class Partner:
    """A server that listens from the start. `misbehave` lasts until `go_on`; `received` holds each event once, in
    order.
    """

    def __init__(self) -> None:
        self.secret = ""
        self.problems: list[str] = []
        self._mood = "takes"
        self._lock = threading.Lock()
        self._bodies: dict[str, bytes] = {}
        self._received: dict[str, ReceivedEvent] = {}
        self._may_answer = threading.Event()
        self._may_answer.set()
        partner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = partner.take(dict(self.headers.items()), body)
                if status is None:
                    self.close_connection = True
                    return
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_args: object) -> None:
                """Log nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/hooks"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def received(self) -> list[ReceivedEvent]:
        return list(self._received.values())

    def take(self, headers: dict[str, str], body: bytes) -> int | None:
        """Keep an event and return the status to answer with; None closes the connection."""
        mood = self._mood
        if mood == "refuses":
            return 500
        if mood == "silent":
            self._may_answer.wait()
        self._keep(headers, body)
        return None if mood == "closes" else 200

    def _keep(self, headers: dict[str, str], body: bytes) -> None:
        message_id = headers.get("webhook-id", "")
        try:
            Webhook(self.secret).verify(body, headers)
        except WebhookVerificationError as error:
            self.problems.append(f"event {message_id}: {error}")
            return
        event = json.loads(body)
        with self._lock:
            if self._bodies.setdefault(message_id, body) != body:
                self.problems.append(f"event {message_id} came with two bodies")
            self._received.setdefault(message_id, ReceivedEvent(event["type"], event["data"]))

    def misbehave(self, mood: str) -> None:
        """Behave badly until `go_on`: `refuses` (500), `closes` (accepts without an answer) or `silent`."""
        if mood == "silent":
            self._may_answer.clear()
        self._mood = mood

    def go_on(self) -> None:
        self._mood = "takes"
        self._may_answer.set()

    def forget(self) -> None:
        """Forget everything, for a new seed."""
        self.go_on()
        self._received.clear()
        self._bodies.clear()
        self.problems.clear()

    def close(self) -> None:
        self.go_on()
        self._server.shutdown()
        self._server.server_close()
