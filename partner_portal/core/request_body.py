"""WSGI middleware that reads the whole body before the application runs, with or without a Content-Length.

Django reads no body without a Content-Length; only the server knows where a chunked one ends.
"""

import json
from io import BytesIO
from typing import TYPE_CHECKING

from partner_portal.core.media_types import keep_plain
from partner_portal.core.request_buffer import MAX_BODY

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


class _RefusedError(Exception):
    """Raised to refuse a request; `status` is the status line, `str()` a sentence for the sender."""

    def __init__(self, status: str, why: str) -> None:
        super().__init__(why)
        self.status = status


def with_whole_body(application: "WSGIApplication") -> "WSGIApplication":
    """Wrap `application`: the body is in memory, its length in `CONTENT_LENGTH`, and the content type is cleaned."""

    def read_first(environ: "WSGIEnvironment", start_response: "StartResponse") -> "Iterable[bytes]":
        try:
            body = _body(environ)
        except _RefusedError as refusal:
            answer = json.dumps({"detail": str(refusal)}).encode()
            headers = [("Content-Type", "application/json"), ("Content-Length", str(len(answer)))]
            start_response(refusal.status, headers)
            return [answer]
        environ["wsgi.input"] = BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        keep_plain(environ)
        return application(environ, start_response)

    return read_first


def _body(environ: "WSGIEnvironment") -> bytes:
    chunked = bool(environ.get("HTTP_TRANSFER_ENCODING")) and environ.get("wsgi.input_terminated")
    said = environ.get("CONTENT_LENGTH") or "0"
    if not (said.isascii() and said.isdigit()):
        raise _RefusedError("400 Bad Request", "Content-Length is no number.")
    length = MAX_BODY + 1 if chunked else int(said)
    if length > MAX_BODY and not chunked:
        raise _too_large()
    try:
        body: bytes = environ["wsgi.input"].read(length) if length else b""
    except Exception:  # invalid chunks and lost connections raise many types
        raise _RefusedError("400 Bad Request", "The body did not arrive.") from None
    if len(body) > MAX_BODY:
        raise _too_large()
    if len(body) < length and not chunked:
        raise _RefusedError("400 Bad Request", "The body is shorter than its Content-Length.")
    return body


def _too_large() -> _RefusedError:
    return _RefusedError("413 Content Too Large", f"The body is larger than {MAX_BODY} bytes.")
