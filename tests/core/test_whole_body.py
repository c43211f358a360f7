"""Every address gets each body complete, with its length, or is not called at all."""

import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from partner_portal.core.request_body import with_whole_body
from partner_portal.core.request_buffer import MAX_BODY


def app(environ: Any, start_response: Any) -> list[Any]:
    start_response("200 OK", [])
    return [environ["wsgi.input"].read(), b"|", environ["CONTENT_LENGTH"].encode()]


def send(body: object, **environ: object) -> tuple[int, bytes]:
    seen: list[str] = []
    stream = io.BytesIO(body) if isinstance(body, bytes) else body

    def start_response(status: str, _headers: object, _error: object = None) -> Callable[[bytes], object]:
        seen.append(status)
        return print

    whole = {"wsgi.input": stream, "wsgi.input_terminated": True} | environ
    answer = with_whole_body(app)(whole, start_response)
    return int(seen[0][:3]), b"".join(answer)


class Broken:
    def read(self, _size: int) -> bytes:
        raise ConnectionResetError


def test_a_body_with_a_length_equals_one_in_chunks() -> None:
    assert send(b"{} and the next request", CONTENT_LENGTH="2") == (200, b"{}|2")
    assert send(b"{}", HTTP_TRANSFER_ENCODING="chunked") == (200, b"{}|2")
    assert send(b"no body") == (200, b"|0")


@pytest.mark.parametrize(
    ("body", "environ", "status", "why"),
    [
        (b"{", {"CONTENT_LENGTH": "2"}, 400, "shorter"),
        (b"{", {"CONTENT_LENGTH": "many"}, 400, "no number"),
        (b"{", {"CONTENT_LENGTH": "-1"}, 400, "no number"),
        (Broken(), {"CONTENT_LENGTH": "2"}, 400, "did not arrive"),
        (Broken(), {"HTTP_TRANSFER_ENCODING": "chunked"}, 400, "did not arrive"),
        (Broken(), {"CONTENT_LENGTH": str(MAX_BODY + 1)}, 413, "larger"),
        (b"x" * (MAX_BODY + 1), {"HTTP_TRANSFER_ENCODING": "chunked"}, 413, "larger"),
    ],
)
def test_an_incomplete_body_is_refused_in_a_sentence(
    body: Any, environ: dict[str, Any], status: int, why: str
) -> None:
    code, answer = send(body, **environ)
    assert (code, why in json.loads(answer)["detail"]) == (status, True)


def test_the_largest_body_is_taken() -> None:
    assert send(b"x" * MAX_BODY, HTTP_TRANSFER_ENCODING="chunked")[0] == 200
