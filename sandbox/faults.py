"""Faults on demand: rules that make chosen calls fail, slow them down, or lose their answer.

| kind | what happens; `*_after` kinds process the call first |
|---|---|
| `error`, `error_after` | `status` with `headers` and `body`: also 503 with `{"Retry-After": "20"}` |
| `bad_refusal` | 422 with half an emoji in its message |
| `delay`, `delay_after` | `seconds` pass |
| `gateway_timeout` | a gateway's page with 504 at once; the call is processed `seconds` (2) later |
| `drop_before`, `drop_after` | the connection is cut |
| `html_after`, `broken_json_after`, `redirect_after` | another answer |
| `broken_location_after` | 301 with an address that no parser accepts |
| `large_redirect_after` | 302 with 9 MiB |
| `bad_text_after` | half an emoji in the first title of the answer |
| `bad_number_after` | an exponent of 21 digits in the answer |
| `trickle_head_after`, `trickle_body_after` | a byte each `seconds` (1) |
| `early_hints_after` | 103 before the answer |
| `endless_100_after` | 100 Continue without end, and no answer |
| `leftover_after` | a second answer behind the first one |
| `late_close_after` | the connection is cut `seconds` (1) after the answer |
"""

from __future__ import annotations

import itertools
import re
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from sandbox.wire import HTML_TYPE, JSON_TYPE, ConnectionDroppedError, Response, redirect, write_json

KINDS = (
    "error",
    "delay",
    "delay_after",
    "gateway_timeout",
    "drop_before",
    "drop_after",
    "html_after",
    "broken_json_after",
    "redirect_after",
    "error_after",
    "bad_refusal",
    "broken_location_after",
    "large_redirect_after",
    "bad_text_after",
    "bad_number_after",
    "trickle_head_after",
    "trickle_body_after",
    "early_hints_after",
    "endless_100_after",
    "leftover_after",
    "late_close_after",
)
# Kinds whose answer is correct but badly sent.
MANNERS = ("trickle_head", "trickle_body", "early_hints", "endless_100", "leftover", "late_close")
LARGE = 9 * 1024 * 1024
HALF_AN_EMOJI = b"\\ud83d"
BAD_NUMBER = b"1E+999999999999999999999"
GATEWAY_TIMEOUT = b"<html><h1>504 Gateway Time-out</h1></html>"
SOME_PAGE = b"<!doctype html><title>Altegio</title><h1>Altegio</h1><p>Something else altogether.</p>"


@dataclass
class Fault:
    """A rule. `call` is a call's name or `*`; `remaining` counts down, None means without end.

    The `body` of an error is sent as JSON, or unchanged if it is text; `*_after` kinds process the call first.
    """

    kind: str
    call: str = "*"
    method: str | None = None
    path: str | None = None
    location_id: int | None = None
    remaining: int | None = 1
    status: int = 500
    body: Any = None
    content_type: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    label: str = ""
    id: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}")
        if self.path is not None:
            re.compile(self.path)

    def matches(self, call: str, method: str, path: str, location_id: int | None) -> bool:
        return (
            self.call in ("*", call)
            and self.method in (None, method)
            and (self.path is None or re.search(self.path, path) is not None)
            and self.location_id in (None, location_id)
        )

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class FaultBook:
    """The rules in force, of which the first match applies. The caller holds the world's lock."""

    def __init__(self) -> None:
        self.rules: list[Fault] = []
        self._numbers = itertools.count(1)

    def add(self, fault: Fault) -> Fault:
        fault.id = next(self._numbers)
        self.rules.append(fault)
        return fault

    def clear(self, fault_id: int | None = None) -> None:
        self.rules = [rule for rule in self.rules if fault_id is not None and rule.id != fault_id]

    def take(self, call: str, method: str, path: str, location_id: int | None) -> Fault | None:
        """Return the rule that applies to this call, or None, and count one use of it."""
        for rule in self.rules:
            if rule.matches(call, method, path, location_id):
                self._use_up(rule)
                return rule
        return None

    def _use_up(self, rule: Fault) -> None:
        if rule.remaining is None:
            return
        rule.remaining -= 1
        if rule.remaining <= 0:
            self.rules.remove(rule)


def strike(fault: Fault | None, process: Callable[[], Response]) -> Response:
    """Process the call as the fault demands. Holds no lock while it waits."""
    if fault is None:
        return process()
    if fault.kind == "drop_before":
        raise ConnectionDroppedError
    if fault.kind == "error":
        return _error(fault)
    if fault.kind == "bad_refusal":
        return _bad_refusal(fault)
    if fault.kind == "gateway_timeout":
        return _gateway_timeout(fault, process)
    if fault.kind == "delay":
        time.sleep(fault.seconds)
        return process()
    return _spoil(fault, process())


def _gateway_timeout(fault: Fault, process: Callable[[], Response]) -> Response:
    """Answer as a gateway that has given up, while the server behind it still processes the call."""

    def go_on() -> None:
        with suppress(ConnectionDroppedError):
            process()

    later = threading.Timer(fault.seconds or 2.0, go_on)
    later.daemon = True
    later.start()
    return Response(504, GATEWAY_TIMEOUT, HTML_TYPE)


def _spoil(fault: Fault, answer: Response) -> Response:
    """Return the spoiled answer to a call that was processed."""
    if fault.kind == "drop_after":
        raise ConnectionDroppedError
    if fault.kind == "delay_after":
        time.sleep(fault.seconds)
        return answer
    if fault.kind == "html_after":
        return Response(200, SOME_PAGE, HTML_TYPE)
    if fault.kind == "broken_json_after":
        return Response(answer.status, answer.body[: len(answer.body) // 2] or b"{", JSON_TYPE)
    if (manner := fault.kind.removesuffix("_after")) in MANNERS:
        return replace(answer, manner=manner, seconds=fault.seconds)
    another = _ANOTHER.get(fault.kind)
    return another(answer) if another else _error(fault)


def _bad_text(answer: Response) -> Response:
    return replace(answer, body=answer.body.replace(b'"title": "', b'"title": "' + HALF_AN_EMOJI, 1))


def _bad_number(answer: Response) -> Response:
    return replace(answer, body=answer.body.removesuffix(b"}") + b', "exponent": ' + BAD_NUMBER + b"}")


def _large_redirect(_answer: Response) -> Response:
    return Response(302, b"x" * LARGE, HTML_TYPE, {"Location": "/"})


# Kinds that send another answer, or change its content.
_ANOTHER: dict[str, Callable[[Response], Response]] = {
    "redirect_after": lambda _answer: redirect(301, "/"),
    "broken_location_after": lambda _answer: redirect(301, "http://[bad/\xe9"),
    "large_redirect_after": _large_redirect,
    "bad_text_after": _bad_text,
    "bad_number_after": _bad_number,
}


def _bad_refusal(fault: Fault) -> Response:
    status = fault.status if 400 <= fault.status < 500 else 422
    words = b'{"success": false, "data": null, "meta": {"message": "No ' + HALF_AN_EMOJI + b'."}}'
    return Response(status, words, JSON_TYPE, dict(fault.headers))


def _error(fault: Fault) -> Response:
    if isinstance(fault.body, str):
        return Response(fault.status, fault.body.encode(), fault.content_type or HTML_TYPE, dict(fault.headers))
    body = fault.body
    if body is None:
        body = {"success": False, "data": None, "meta": {"message": "Something went wrong."}}
    return Response(fault.status, write_json(body), fault.content_type or JSON_TYPE, dict(fault.headers))
