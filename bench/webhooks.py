"""Events to the partner's own systems: the rate beside bare POSTs, and the delay on an idle portal."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from statistics import median, quantiles

import requests

from bench.figures import Figure
from bench.options import Options
from bench.stage import Stage, stage
from tests.end_to_end.portal import wait_for

EVENTS, TESTS, EVERY = 3000, 60, 0.3
PRIVATE = {"EVENTS_ALLOW_PRIVATE": "true"}
# Events as large as a connection's, but of no connection, so that none waits for another. The endpoint rests until
# all are published.
PUBLISH = """
from datetime import timedelta
from django.utils import timezone
from integrations.connections.models import Application
from integrations.partner_events.models import WebhookEndpoint
from integrations.partner_events.publish import NewEvent, publish
from integrations.partner_events.fan_out import fan_out
WebhookEndpoint.objects.update(rests_until=timezone.now() + timedelta(seconds=5))
application = Application.objects.first()
data = {{"connection": {{"text": "x" * 500}}}}
publish(NewEvent("payment.reported", application.pk, data, connection_id=None) for _ in range({count}))
fan_out()
"""
# It prints the seconds that it took, and runs in a process of its own, as the worker does.
BARE = """
import sys, time
from http.client import HTTPConnection
line, began = HTTPConnection("127.0.0.1", int(sys.argv[1])), time.monotonic()
for _ in range(int(sys.argv[2])):
    line.request("POST", "/hooks", b"x" * 700)
    line.getresponse().read()
print(time.monotonic() - began)
"""
WANTED_RATE, WANTED_MEDIAN_MS, WANTED_P99_MS = 0.5, 500, 1000


class Partner(ThreadingHTTPServer):
    """The partner's own system, which notes when each message arrived."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.at: list[float] = []


class Handler(BaseHTTPRequestHandler):
    server: Partner
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.at.append(time.time())
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        """Log nothing."""


@contextmanager
def _partner() -> Iterator[Partner]:
    server = Partner()
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def measure(_options: Options) -> Iterator[Figure]:
    """Measure the latency first, then a backlog for a worker that has been running for long."""
    with stage() as on, _partner() as partner:
        on.portal.start_web(**PRIVATE)
        endpoint = _make(on, partner)
        on.portal.start_worker("-B", **PRIVATE)
        taken = _latencies(on, partner, endpoint)
        yield Figure(
            *(
                "webhooks",
                "from a change to the partner's 200",
                median(taken),
                WANTED_MEDIAN_MS,
                "ms",
                "wanted at most",
            ),
            most=1.0,
            broken="" if quantiles(taken, n=100)[98] <= WANTED_P99_MS else "p99 is over a second",
            details={"p99": f"{quantiles(taken, n=100)[98]:.0f} ms", "events": len(taken)},
        )
        partner.at.clear()
        on.portal.command("shell", "-v0", "-c", PUBLISH.format(count=EVENTS), **PRIVATE)
        wait_for(lambda: len(partner.at) >= EVENTS, "every event arrives", timeout=180)
        rate = (EVENTS - 1) / (partner.at[EVENTS - 1] - partner.at[0])
        yield Figure(*("webhooks", "delivered", rate, _bare(partner), "/s", "bare POSTs"), least=WANTED_RATE)


def _make(on: Stage, partner: Partner) -> str:
    """Register an endpoint for every event. Return a key's header and the endpoint's test address, as one text."""
    key = on.key("webhooks")
    url = f"http://127.0.0.1:{partner.server_address[1]}/hooks"
    answer = requests.post(
        f"{on.portal.url}/api/v1/webhooks/", json={"url": url}, headers={"Authorization": key}, timeout=30
    )
    assert answer.status_code == 201, answer.text
    return f"{key}\n{on.portal.url}/api/v1/webhooks/{answer.json()['id']}/test/"


def _latencies(on: Stage, partner: Partner, endpoint: str) -> list[float]:
    """Return the milliseconds from before each call of the API until its event arrived."""
    key, address = endpoint.split("\n")
    times = []
    wait_for(lambda: on.portal.page("/readyz/").status_code in (200, 503), "the portal answers")
    for number in range(TESTS):
        began = time.time()
        answer = requests.post(address, headers={"Authorization": key}, timeout=30)
        assert answer.status_code == 202, answer.text
        count = number + 1
        wait_for(lambda count=count: len(partner.at) >= count, "the event arrives")  # type: ignore[misc]
        times.append((partner.at[number] - began) * 1000)
        time.sleep(EVERY)
    # The first ones waited for the worker to start.
    return times[5:]


def _bare(partner: Partner) -> float:
    """Return the messages a second of a process that only posts the same size on one connection."""
    port = str(partner.server_address[1])
    printed = subprocess.check_output([sys.executable, "-c", BARE, port, str(EVENTS)], text=True, timeout=120)
    return EVENTS / float(printed)
