"""Helpers that call a WSGI application directly, as gunicorn does."""

import io
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections

from partner_portal.core.fast_path import with_short_path


def call(application: Any, path: str, body: bytes = b"", method: str = "POST", **environ: Any) -> dict[str, Any]:
    """Call the application and return the answer's `status`, `headers` and `body`."""
    answer: dict[str, Any] = {}

    def start(status: str, headers: list[tuple[str, str]], _exc: object = None) -> None:
        answer.update(status=int(status[:3]), headers=dict(headers))

    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        "wsgi.url_scheme": "http",
    } | environ
    answer["body"] = b"".join(application(environ, start))
    return answer


@pytest.fixture
def short_path() -> Iterator[Any]:
    """Yield the WSGI application, which must not close the test's connection with its transaction."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield with_short_path()
    for signal in signals:
        signal.connect(close_old_connections)
