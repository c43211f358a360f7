"""`python -m sandbox`: the sandbox as a program that runs until Ctrl-C or SIGTERM."""

from __future__ import annotations

import argparse
import signal
import threading
from pathlib import Path
from zoneinfo import ZoneInfo

from sandbox.models import Partner
from sandbox.service import Sandbox
from sandbox.settings import Settings

TICK_SECONDS = 5.0


def main() -> None:
    options = _parser().parse_args()
    sandbox = Sandbox(
        partner_token=options.partner_token,
        portal_url=options.portal_url,
        application_id=options.application_id,
        host=options.host,
        port=options.port,
        data=options.data,
        zone=ZoneInfo(options.time_zone),
        settings=Settings(
            activation_window=options.activation_window,
            requests_per_second=options.requests_per_second or None,
            requests_per_minute=options.requests_per_minute or None,
        ),
        tick_seconds=TICK_SECONDS,
        partner=Partner(options.partner_name, options.partner_logo),
    )
    # The portal and the browser know the sandbox by this address, so what it sends names this one, not the host that
    # it listens on.
    sandbox.world.address = f"http://localhost:{sandbox.port}"
    finished = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: finished.set())
    sandbox.start()
    print(f"Sandbox Altegio: {sandbox.world.address}  (portal: {options.portal_url})", flush=True)
    finished.wait()
    sandbox.stop()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="Altegio's other side, for trying out.")
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on")
    add("--port", type=int, default=8010, help="port to listen on, 0 takes a free one")
    add("--portal-url", default="http://localhost:8000", help="where the portal is")
    add("--partner-token", default="demo-token", help="the partner token the portal uses")
    add("--application-id", type=int, default=1, help="the application served at /connect/")
    add("--partner-name", default="", help="who offers the applications, as their cards say")
    add("--partner-logo", type=Path, help="an SVG or PNG for the cards")
    add("--data", type=Path, help="file to keep the state in, such as var/sandbox.json")
    add("--time-zone", default="UTC", help="zone of date-times on the wire")
    add("--activation-window", type=int, default=3600, help="seconds from the consent to the activation")
    add("--requests-per-second", type=int, default=5, help="limit of a sliding second, 0 is none")
    add("--requests-per-minute", type=int, default=200, help="limit of a sliding minute, 0 is none")
    return parser


if __name__ == "__main__":
    main()
