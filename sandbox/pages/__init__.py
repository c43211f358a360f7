"""The pages a person sees."""

from __future__ import annotations

from sandbox.desk import Desk
from sandbox.wire import HTML_TYPE, Request, Response


def answer(desk: Desk, request: Request) -> Response:
    del desk, request
    return Response(200, b"<h1>Altegio Marketplace (sandbox)</h1>", HTML_TYPE)
