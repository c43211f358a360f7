"""The requests from Altegio to the portal: lifecycle callbacks and entity webhooks (docs/altegio.md §4)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from sandbox.arrival import sign
from sandbox.journal import Journal, SentCallback
from sandbox.wire import plain_number, write_json
from sandbox.world import World

TIMEOUT = 15.0
TRIES = 3
PAUSE = 0.2
WORKERS = 4


def payment_sign(location_id: int, amount: object, discount: object, partner_token: str) -> str:
    """Return the hex HMAC-SHA256 of `salon_id=<id>&amount=<amount>`, with the discount if it is not null."""
    text = f"salon_id={location_id}&amount={amount}"
    if discount is not None:
        text += f"&discount={discount}"
    return sign(text.encode(), partner_token)


class Callbacks:
    """A sender that works in the background, so that no call waits for the portal."""

    def __init__(self, world: World, journal: Journal, partner_token: str) -> None:
        self.portal_url = ""
        self._world = world
        self._journal = journal
        self._token = partner_token
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="sandbox-callback")
        self._waiting = 0
        self._quiet = threading.Condition()
        self._stopped = threading.Event()

    def tell(self, event: dict[str, Any]) -> None:
        """Send a lifecycle callback as the settings say: on or off, how many copies, at once or late."""
        settings = self._world.settings
        if settings.callbacks_enabled:
            for _copy in range(settings.callback_copies):
                self.send(event, delay=settings.callback_delay)

    def send(self, event: dict[str, Any], *, delay: float = 0.0) -> None:
        """Send a lifecycle callback whatever the settings say. `event` may hold a wrong `partner_token`."""
        body = {"partner_token": self._token, **event}
        self.submit(lambda: self._post(f"{self.portal_url}/altegio/callback/", body, tries=1), delay)

    def tell_payment(self, payment: dict[str, Any]) -> None:
        """Send the platform's `payment` event, signed."""
        amount, discount = plain_number(payment["amount"]), payment["discount"]
        discount = None if discount is None else plain_number(discount)
        signed = payment_sign(payment["salon_id"], amount, discount, self._token)
        written = {"amount": self._written(amount), "discount": self._written(discount)}
        self.tell({**payment, **written, "event": "payment", "sign": signed})

    def _written(self, number: float | None) -> float | str | None:
        return f"{number:.2f}" if number is not None and self._world.settings.padded_amounts else number

    def send_event(self, urls: list[str], body: Any) -> None:
        """Send an entity webhook to every address. After at most two quick retries on 429 and 5xx it is lost."""
        for url in urls:
            self.submit(lambda url=url: self._post(url, body, tries=TRIES), 0.0)  # type: ignore[misc]

    def wait(self, timeout: float = 10.0) -> bool:
        """Wait until nothing is in progress. Return False if that takes more than `timeout` seconds."""
        with self._quiet:
            return self._quiet.wait_for(lambda: self._waiting == 0, timeout)

    def stop(self) -> None:
        self._stopped.set()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def submit(self, job: Callable[[], None], delay: float = 0.0) -> None:
        """Run the job in the background, after `delay` seconds; `wait` waits for it."""
        with self._quiet:
            self._waiting += 1
        if delay <= 0:
            self._start(job)
            return
        timer = threading.Timer(delay, self._start, [job])
        timer.daemon = True
        timer.start()

    def _start(self, job: Callable[[], None]) -> None:
        if not self._stopped.is_set():
            self._pool.submit(self._run, job)

    def _run(self, job: Callable[[], None]) -> None:
        try:
            job()
        finally:
            with self._quiet:
                self._waiting -= 1
                self._quiet.notify_all()

    def _post(self, url: str, body: Any, *, tries: int) -> None:
        for attempt in range(tries):
            sent = SentCallback(self._world.clock().isoformat(), url, _without_token(body))
            with self._world.lock:
                self._journal.callbacks.append(sent)
            started = time.monotonic()
            try:
                sent.code = post(url, write_json(body))
            except (OSError, HTTPException) as error:
                sent.error = str(error) or type(error).__name__
            sent.seconds = time.monotonic() - started
            if sent.code != 429 and sent.code < 500:
                return
            if attempt + 1 < tries:
                time.sleep(PAUSE)


def post(url: str, body: bytes) -> int:
    """POST once, without following redirects, and return the status of the answer."""
    return exchange(url, body, {"Content-Type": "application/json"})[0]


def exchange(url: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
    """POST once, without following redirects, and return the status and the body of the answer."""
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT)
    try:
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", target or "/", body, headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def _without_token(body: Any) -> Any:
    if isinstance(body, dict):
        return {name: "***" if name == "partner_token" else value for name, value in body.items()}
    return body
