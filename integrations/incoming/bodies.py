"""Reading what a stranger sends: bounded before it is read."""

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
