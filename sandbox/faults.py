"""Bad days on demand: rules that make chosen calls fail, be slow, or lose their answer."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from sandbox.wire import HTML_TYPE, JSON_TYPE, Dropped, Response, redirect, write_json

KINDS = (
    "error",
    "delay",
    "delay_after",
    "drop_before",
    "drop_after",
    "html_after",
    "broken_json_after",
    "redirect_after",
    "error_after",
)
SOME_PAGE = b"<!doctype html><title>Altegio</title><h1>Altegio</h1><p>Something else altogether.</p>"


@dataclass
class Fault:
    """One rule. `call` is a call's name or `*`; `remaining` counts down, None is forever.

    `body` of an error is sent as JSON, or as it stands when it is text; `*_after` kinds process
    the call first.
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
    """The rules in force, first match first. The caller holds the world's lock."""

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
        """The rule that strikes this call, if any; one stroke is used up."""
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
    """Process the call as the fault has it. Holds no lock while it waits."""
    if fault is None:
        return process()
    if fault.kind == "drop_before":
        raise Dropped
    if fault.kind == "error":
        return _error(fault)
    if fault.kind == "delay":
        time.sleep(fault.seconds)
        return process()
    return _spoil(fault, process())


def _spoil(fault: Fault, answer: Response) -> Response:
    """What becomes of the answer to a call that was processed."""
    if fault.kind == "drop_after":
        raise Dropped
    if fault.kind == "delay_after":
        time.sleep(fault.seconds)
        return answer
    if fault.kind == "html_after":
        return Response(200, SOME_PAGE, HTML_TYPE)
    if fault.kind == "broken_json_after":
        return Response(answer.status, answer.body[: len(answer.body) // 2] or b"{", JSON_TYPE)
    return redirect(301, "/") if fault.kind == "redirect_after" else _error(fault)


def _error(fault: Fault) -> Response:
    if isinstance(fault.body, str):
        return Response(fault.status, fault.body.encode(), fault.content_type or HTML_TYPE, dict(fault.headers))
    body = fault.body
    if body is None:
        body = {"success": False, "data": None, "meta": {"message": "Something went wrong."}}
    return Response(fault.status, write_json(body), fault.content_type or JSON_TYPE, dict(fault.headers))
