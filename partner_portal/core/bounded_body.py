"""Reading what a stranger sends: bounded before it is looked at."""

from django.http import HttpRequest


class HttpError(Exception):
    """The request is answered with `status`; `str()` says why in a few words."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


def read_body(request: HttpRequest, most: int) -> bytes:
    """The body, which has come in whole (`request_body.py`). One of more than `most` bytes is refused with 413."""
    length = int(request.META.get("CONTENT_LENGTH") or 0)
    if length > most:
        raise HttpError(413, f"More than {most} bytes.")
    return request.read(length)
