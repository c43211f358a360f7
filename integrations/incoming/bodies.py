"""Reading what a stranger sends: bounded before it is read, and JSON by the letter of RFC 8259."""

import json
from typing import Any, NoReturn

from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, UnreadablePostError

from integrations.incoming.slowness import watch


class Refused(Exception):
    """The request is answered with `status`; `str()` says why in a few words."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


def read_body(request: HttpRequest, most: int) -> bytes:
    """The body, of at most `most` bytes. What says or proves to be longer is refused with 413, unread."""
    try:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        raise Refused(400, "Content-Length is no number.") from None
    if length > most:
        raise Refused(413, f"More than {most} bytes.")
    try:
        with watch.over(request):
            body = _chunked(request, most) if _is_chunked(request) else request.read(length)
    except (UnreadablePostError, OSError):
        raise Refused(400, "The body did not arrive.") from None
    if len(body) > most:
        raise Refused(413, f"More than {most} bytes.")
    if len(body) < length:
        raise Refused(400, "The body is shorter than its Content-Length.")
    return body


def _is_chunked(request: HttpRequest) -> bool:
    return "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower()


def _chunked(request: HttpRequest, most: int) -> bytes:
    """Django reads no body without a Content-Length; the server knows where a chunked one ends."""
    if not isinstance(request, WSGIRequest) or not request.environ.get("wsgi.input_terminated"):
        return b""
    body: bytes = request.environ["wsgi.input"].read(most + 1)
    return body


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON.")


# Numbers stay the text that came: a signature is made of that text, and none is too long to read.
_DECODER = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=_no_constant)


def as_text(body: bytes) -> str:
    """The body as text. Refused with 400 where it is not UTF-8."""
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused(400, "The body is not UTF-8.") from None


def parse_json(text: str) -> Any:
    """The JSON value, numbers as the text they came in. Refused with 400 where it is none, or too deep."""
    try:
        return _DECODER.decode(text)
    except (ValueError, RecursionError):
        raise Refused(400, "The body is not JSON.") from None
