"""Reading of request bodies with a size limit."""

from django.http import HttpRequest

NOT_STORED = "Not stored: try again."


class HttpError(Exception):
    """Raised to answer a request with `status`; `str()` says why in a few words."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


def read_body(request: HttpRequest, most: int) -> bytes:
    """Return the body, which is complete (`request_body.py`). Raises HttpError (413) for more than `most` bytes."""
    length = int(request.META.get("CONTENT_LENGTH") or 0)
    if length > most:
        raise HttpError(413, f"More than {most} bytes.")
    return request.read(length)
