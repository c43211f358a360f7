"""A receiver of the portal's webhooks: it checks the signature, keeps each event once and answers soon.

See docs/integrate.md.

    WEBHOOK_SECRET=whsec_… python examples/webhook_receiver.py 9000

It needs the package `standardwebhooks`.
"""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

# No message of the portal is larger (docs/interface.md §5a).
MAX_BODY = 2 * 1024 * 1024
# In your system this is a table with a unique column: an event may come twice.
seen: set[str] = set()


def handle(event: dict[str, Any]) -> None:
    """Do what your system does with an event; here: print it.

    Put slow work into a queue, and answer before it is done.
    """
    connection = event["data"].get("connection", {})
    print(event["type"], connection.get("salon_id", ""), connection.get("state", ""), flush=True)


class Receiver(BaseHTTPRequestHandler):
    """A handler that accepts an event with 200. After any other status the event comes again."""

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        if length > MAX_BODY:
            self._answer(413)
            return
        body = self.rfile.read(length)
        try:
            # This rejects a wrong signature, and a timestamp more than five minutes from now.
            Webhook(os.environ["WEBHOOK_SECRET"]).verify(body, dict(self.headers.items()))
        except WebhookVerificationError:
            self._answer(401)
            return
        message_id = self.headers["webhook-id"]
        if message_id not in seen:
            handle(json.loads(body))
            seen.add(message_id)
        self._answer(200)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        """Log nothing: only the events are printed."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver).serve_forever()
