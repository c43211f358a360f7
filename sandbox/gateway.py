"""The entry point of partner calls: authentication, rate limits, the log and the faults."""

from __future__ import annotations

import hmac
import time
from typing import Any
from urllib.parse import unquote, urlencode

from sandbox.calls import Call, Route, find
from sandbox.faults import Fault, FaultBook, strike
from sandbox.journal import Journal, LoggedCall
from sandbox.limits import SlidingWindows
from sandbox.models import State
from sandbox.refusals import RefusalError
from sandbox.wire import ConnectionDroppedError, Request, Response, read_json, refusal_envelope
from sandbox.world import World

ACCEPT = "application/vnd.api.v2+json"
MASK = "***"
SMS_REFUSED = 20
PREFIXES = ("/marketplace/", "/smsprovider/", "/api/v1/")


class Gateway:
    """The gateway that answers every call of docs/altegio.md §2, strictly."""

    def __init__(self, world: World, journal: Journal, faults: FaultBook, partner_token: str) -> None:
        self._world = world
        self._journal = journal
        self._faults = faults
        self._token = partner_token
        self.windows = SlidingWindows()

    def answer(self, request: Request) -> Response:
        """Return the answer to a call and log the call. Raises ConnectionDroppedError if there is to be no answer."""
        found = find(request.method, request.path)
        body = _body_of(request)
        location_id = _location_of(found[1] if found else {}, request.query, body)
        started = time.monotonic()
        with self._world.lock:
            entry = self._log(request, found[0].name if found else "unknown", location_id, body, started)
            wait = self._wait(started)
            fault = None if wait else self._strike(entry, location_id)
            state = self._world.state
        try:
            response = self._too_many(wait) if wait else self._through(fault, entry, request, found, state)
            entry.code, entry.answer = response.status, response.body.decode(errors="replace")
        except ConnectionDroppedError:
            entry.answer = "(closed without an answer)"
            raise
        finally:
            entry.seconds = time.monotonic() - started
        return response

    def _through(
        self,
        fault: Fault | None,
        entry: LoggedCall,
        request: Request,
        found: tuple[Route, dict[str, str]] | None,
        state: State,
    ) -> Response:
        def process() -> Response:
            with self._world.lock:
                if self._world.state is not state:
                    raise ConnectionDroppedError  # it waited during a reset, so its world is gone
                response = self._process(request, found, entry)
                entry.processed = response.status < 400
            return response

        return strike(fault, process)

    def _process(self, request: Request, found: tuple[Route, dict[str, str]] | None, entry: LoggedCall) -> Response:
        try:
            route, ids = _known(found, self._world.settings.marketplace_host)
            self._check_headers(request, route, ids)
            return route.handler(self._world, Call(ids, request.query, _json_of(request)))
        except RefusalError as refusal:
            language = self._world.language(entry.location_id)
            return refusal_envelope(refusal.status, refusal.meta(language))

    def _check_headers(self, request: Request, route: Route, ids: dict[str, str]) -> None:
        bearer, _, user = request.headers.get("authorization", "").partition(",")
        proof = f"Bearer {unquote(ids['token'])}" if route.by_path and not bearer else bearer
        if not hmac.compare_digest(proof.encode(), f"Bearer {self._token}".encode()):
            raise RefusalError(401, "bad_token", code=SMS_REFUSED if route.name == "sms_statuses" else None)
        if route.by_path and not hmac.compare_digest(unquote(ids["token"]).encode(), self._token.encode()):
            raise RefusalError(401, "bad_token", code=SMS_REFUSED)
        if route.by_user and not user.strip().removeprefix("User ").strip():
            raise RefusalError(401, "no_user_token")
        if request.headers.get("accept") != ACCEPT:
            raise RefusalError(406, "bad_accept")
        if request.body and request.headers.get("content-type", "").split(";")[0].strip() != "application/json":
            raise RefusalError(400, "bad_content_type")

    def _strike(self, entry: LoggedCall, location_id: int | None) -> Fault | None:
        fault = self._faults.take(entry.call, entry.method, entry.path, location_id)
        entry.fault = fault.kind if fault else ""
        return fault

    def _wait(self, now: float) -> int:
        settings = self._world.settings
        return self.windows.wait(now, settings.requests_per_second, settings.requests_per_minute)

    def _too_many(self, wait: int) -> Response:
        return refusal_envelope(429, RefusalError(429, "too_many").meta("en"), {"Retry-After": str(wait)})

    def _log(self, request: Request, call: str, location_id: int | None, body: Any, started: float) -> LoggedCall:
        query = f"?{urlencode(request.query, doseq=True)}" if request.query else ""
        entry = LoggedCall(
            number=self._journal.next_number(),
            monotonic=started,
            at=self._world.clock().isoformat(),
            method=request.method,
            path=self._masked(request.path + query),
            call=call,
            location_id=location_id,
            body=body,
            raw_body=self._masked(request.body.decode(errors="replace")),
        )
        self._journal.calls.append(entry)
        return entry

    def _masked(self, text: str) -> str:
        return text.replace(self._token, MASK)


def _known(found: tuple[Route, dict[str, str]] | None, marketplace_host: str) -> tuple[Route, dict[str, str]]:
    if found is None or (found[0].only_host and marketplace_host not in ("both", found[0].only_host)):
        raise RefusalError(404, "no_call")
    return found


def _json_of(request: Request) -> Any:
    if not request.body:
        return None
    try:
        return read_json(request.body)
    except ValueError:
        raise RefusalError(400, "bad_json") from None


def _body_of(request: Request) -> Any:
    try:
        return read_json(request.body) if request.body else None
    except ValueError:
        return None


def _location_of(ids: dict[str, str], query: dict[str, list[str]], body: Any) -> int | None:
    """Return the id of the location that a call is about, from its path, body or query, or None."""
    if "location_id" in ids:
        return int(ids["location_id"])
    value = body.get("salon_id") if isinstance(body, dict) else query.get("salon_id", [None])[0]
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None
