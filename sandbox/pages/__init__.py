"""The pages for people; each module holds one."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs

from sandbox.core import SandboxCore
from sandbox.pages import connect, faults, frame, locations, log, messages
from sandbox.pages.markup import Html, page, render
from sandbox.pages.visit import Visit
from sandbox.refusals import RefusalError
from sandbox.wire import Request, Response

View = Callable[[SandboxCore, Visit], Response]
STATIC = Path(__file__).parent.parent / "static"
TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}

VIEWS: tuple[tuple[str, str, View], ...] = (
    ("GET", r"/", connect.show),
    ("POST", r"/", connect.press),
    ("POST", r"/chains/", connect.make_chain),
    (
        "GET",
        r"/appstore/(?P<location>\d{1,18})/applications/(?P<application>\d{1,18})/info/?",
        connect.reconnect,
    ),
    ("GET", r"/locations/(?P<location>\d{1,18})/?", locations.show),
    ("POST", r"/locations/(?P<location>\d{1,18})/(?P<action>uninstall|freeze|pay)/", locations.act),
    ("GET", r"/frame/(?P<location>\d{1,18})/(?P<application>\d{1,18})/?", frame.show),
    ("GET", r"/faults/", faults.show),
    ("POST", r"/faults/(?P<action>add|clear|callbacks|application)/", faults.act),
    ("GET", r"/messages/", messages.show),
    ("POST", r"/messages/", messages.send),
    ("POST", r"/messages/switches/", messages.switch),
    ("GET", r"/partner-logo", connect.logo),
    ("GET", r"/log/", log.show),
)


def answer(sandbox: SandboxCore, request: Request) -> Response:
    """Return the page asked for; a refusal becomes a page that says why."""
    if request.path.startswith("/static/"):
        return _static(request.path.removeprefix("/static/"))
    method = "GET" if request.method == "HEAD" else request.method
    for wanted, pattern, view in VIEWS:
        match = re.fullmatch(pattern, request.path)
        if match and wanted == method:
            form = parse_qs(request.body.decode(errors="replace")) if method == "POST" else request.query
            return _shown(sandbox, view, Visit(match.groupdict(), form))
    return _sorry("There is no such page.", 404)


def _shown(sandbox: SandboxCore, view: View, visit: Visit) -> Response:
    try:
        return view(sandbox, visit)
    except RefusalError as refusal:
        return _sorry(refusal.message("en"), refusal.status)
    except ValueError as error:
        return _sorry(str(error), 400)


def _sorry(reason: str, status: int) -> Response:
    template = '<section class="card sorry"><h1>{reason}</h1><p><a class="button" href="/">Go back</a></p></section>'
    content: Html = render(template, reason=reason)
    return page("Sorry", content, status=status)


def _static(name: str) -> Response:
    path = STATIC / name
    if path.parent != STATIC or path.suffix not in TYPES or not path.is_file():
        return _sorry("There is no such page.", 404)
    return Response(200, path.read_bytes(), TYPES[path.suffix], {"Cache-Control": "no-cache"})
