"""The running sandbox: its core with a server, a data file and a clock that freezes what is not paid for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Self

from sandbox import control, pages
from sandbox.core import SandboxCore
from sandbox.gateway import PREFIXES
from sandbox.models import Partner, utc_now
from sandbox.server import Server
from sandbox.settings import Settings
from sandbox.storage import Keeper, load
from sandbox.wire import Request, Response
from sandbox.world import Clock


class Sandbox(SandboxCore):
    """Altegio's side, which a test can start: `Sandbox(partner_token="…", portal_url="…").start()`.

    Port 0 takes a free one. With `data`, the state is kept in that file and loaded by the next run. With
    `tick_seconds`, connections whose paid time is over are frozen regularly; without it, only by `tick()`.
    """

    def __init__(
        self,
        partner_token: str = "demo-token",  # noqa: S107 - the demo's own
        portal_url: str = "http://localhost:8000",
        application_id: int = 1,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        data: Path | None = None,
        clock: Clock = utc_now,
        zone: tzinfo = UTC,
        settings: Settings | None = None,
        tick_seconds: float | None = None,
        partner: Partner | None = None,
    ) -> None:
        kept = load(data) if data else None
        super().__init__(
            partner_token, portal_url, application_id, state=kept, clock=clock, zone=zone, settings=settings
        )
        self.partner = partner or Partner()
        self._server = Server(host, port, self._answer)
        self.world.address = self.app_url
        self._keeper = Keeper(data, self.world.snapshot) if data else None
        self._tick_seconds = tick_seconds
        self._stopped = threading.Event()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def app_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def api_url(self) -> str:
        return f"{self.app_url}/api/v1"

    def start(self) -> Self:
        if self._keeper:
            self.world.touch = self._keeper.touch
            self._keeper.start()
        self._spawn("sandbox-server", lambda: self._server.serve_forever(poll_interval=0.02))
        if self._tick_seconds is not None:
            self._spawn("sandbox-calendar", self._keep_calendar)
        return self

    def stop(self) -> None:
        """Close every connection, send nothing more, and save."""
        self._stopped.set()
        self._server.stop()
        self.callbacks.stop()
        if self._keeper:
            self._keeper.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_exc: object) -> None:
        self.stop()

    def _answer(self, request: Request) -> Response:
        if request.path.startswith(PREFIXES):
            return self.gateway.answer(request)
        if request.path.startswith(control.PREFIX):
            return control.answer(self, request)
        return pages.answer(self, request)

    def _keep_calendar(self) -> None:
        while not self._stopped.wait(self._tick_seconds):
            self.tick()

    def _spawn(self, name: str, run: Callable[[], None]) -> None:
        threading.Thread(target=run, name=name, daemon=True).start()
