"""The table of partner calls: each handler declares its name, method and path in its decorator."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sandbox.checks import Fields
from sandbox.refusals import RefusalError
from sandbox.wire import Response
from sandbox.world import World

API = "/api/v1"


@dataclass
class Call:
    """A call as a handler sees it: ids from the path, the query, the parsed body."""

    ids: dict[str, str]
    query: dict[str, list[str]] = field(default_factory=dict)
    json: Any = None

    def id(self, name: str) -> int:
        return int(self.ids[name])

    def fields(self) -> Fields:
        return Fields(self.json)

    def query_integer(self, name: str, default: int | None = None, most: int | None = None) -> int:
        """Return a whole number from the query.

        Raises RefusalError (422) if it is missing without a default, is given twice, is no number, is 0 or exceeds
        `most`.
        """
        texts = self.query.get(name, [])
        if not texts and default is not None:
            return default
        if len(texts) != 1 or not texts[0].isascii() or not texts[0].isdigit():
            raise RefusalError(422, "invalid", {name: ["must be one whole number"]})
        value = int(texts[0])
        if value < 1 or (most is not None and value > most):
            raise RefusalError(422, "invalid", {name: [f"must be between 1 and {most or 'any number'}"]})
        return value


Handler = Callable[[World, Call], Response]


@dataclass(frozen=True)
class Route:
    """A row of the table.

    `by_path` calls are authenticated by the token in their path; `by_user` calls need a user token as well.
    `only_host` is set if a setting decides which of the two hosts has the call.
    """

    name: str
    method: str
    pattern: re.Pattern[str]
    handler: Handler
    by_path: bool = False
    by_user: bool = False
    only_host: str = ""


ROUTES: list[Route] = []


def call(
    name: str, method: str, path: str, *, by_path: bool = False, by_user: bool = False
) -> Callable[[Handler], Handler]:
    """Enter a handler into the table; `{name}` in the path stands for an id. A decorator."""

    def enter(handler: Handler) -> Handler:
        ROUTES.append(Route(name, method, _pattern(path), handler, by_path, by_user))
        return handler

    return enter


def call_on_either_host(name: str, method: str, path: str) -> Callable[[Handler], Handler]:
    """Enter a handler for a call that the sources name on both hosts; `marketplace_host` decides which one has it."""

    def enter(handler: Handler) -> Handler:
        ROUTES.append(Route(name, method, _pattern(path), handler, only_host="app"))
        ROUTES.append(Route(name, method, _pattern(API + path), handler, only_host="api"))
        return handler

    return enter


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>\\d{1,18})", path).replace("<token>", r"(?P<token>[^/]+)"))


def find(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """Return the route of a request and the ids in its path, or None."""
    for route in ROUTES:
        match = route.pattern.fullmatch(path)
        if match and route.method == method:
            return route, match.groupdict()
    return None
