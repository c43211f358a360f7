"""A request is complete with its last byte, in whatever pieces it comes; an odd one is not awaited."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partner_portal.core.request_buffer import MAX_BODY, RequestBuffer

GET = b"GET /connect/?salon_id=1 HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n\r\n{"a":1}'
CHUNKS = b"POST /a HTTP/1.1\r\ntransfer-encoding:gzip, Chunked\r\n\r\n"
IN_CHUNKS = CHUNKS + b"5;x=y\r\n0\r\n\r\n\r\n0A\r\n0123456789\r\n0\r\n\r\n"
LONG_ZERO = b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 00000000000000000007\r\n\r\n" + b'{"a":1}'
LONG_ZEROS = CHUNKS + b"0000000000005\r\n01234\r\n0000000000000\r\n\r\n"
WITH_TRAILERS = CHUNKS + b"1\r\nx\r\n000\r\nDigest: y\r\n\r\n"


@pytest.mark.parametrize("request_", [GET, POST, IN_CHUNKS, WITH_TRAILERS, LONG_ZERO, LONG_ZEROS])
@given(data=st.data())
def test_a_request_is_complete_with_its_last_byte(request_: bytes, data: Any) -> None:
    buffer, at = RequestBuffer(), 0
    while at < len(request_):
        size = data.draw(st.integers(1, len(request_) - at))
        at += size
        assert buffer.add(request_[at - size : at]) == (at == len(request_))
    assert buffer.data == request_


@pytest.mark.parametrize("request_", [GET, POST, IN_CHUNKS, WITH_TRAILERS])
def test_bytes_after_the_request_are_kept(request_: bytes) -> None:
    buffer = RequestBuffer()
    assert buffer.add(request_ + GET[:9])
    assert buffer.data == request_ + GET[:9]


@pytest.mark.parametrize(
    "request_",
    [
        b"POST / HTTP/1.1\r\nContent-Length: 3000000\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 9999999999999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        CHUNKS + b"zz\r\n",
        CHUNKS + b"000000100000000\r\nx",
        CHUNKS + b"5;" + b"x" * 10_000,
        CHUNKS + b"0\r\n" + b"x" * 100_000,
        b"GET /" + b"x" * (1024 * 1024),
    ],
)
def test_an_odd_or_too_large_request_is_not_awaited(request_: bytes) -> None:
    assert RequestBuffer().add(request_)


def test_only_as_much_of_a_too_large_chunked_body_is_awaited_as_shows_it() -> None:
    buffer = RequestBuffer()
    assert not buffer.add(CHUNKS + b"400000\r\n")
    assert not buffer.add(b"x" * MAX_BODY)
    assert buffer.add(b"x")


def test_a_sender_that_expects_100_continue_is_waited_for() -> None:
    buffer = RequestBuffer()
    assert not buffer.add(POST[:-7].replace(b"Host: a", b"Host: a\r\nExpect: 100-Continue "))
    assert buffer.wants_more
    assert buffer.add(POST[-7:])
    assert buffer.data == POST


def test_an_http_1_0_sender_hears_nothing_before_the_answer() -> None:
    buffer = RequestBuffer()
    asking = POST.replace(b"HTTP/1.1", b"HTTP/1.0").replace(b"Host: a", b"Host: a\r\nExpect: 100-continue")
    assert not buffer.add(asking[:-7])
    assert not buffer.wants_more
    assert buffer.add(asking[-7:])
