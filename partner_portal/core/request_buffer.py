"""Whether a request has come in whole: looked at as its bytes come, before anybody waits for the rest of them.

It decides only when a request is handed over; the server's own parser reads it, and refuses what is malformed.
So whatever is odd counts as whole: the server then finds out by itself.
"""

import re

# The longest arrival is an address of 300 KB; gunicorn refuses longer lines and headers by itself.
MAX_HEAD = 1024 * 1024
# Entity webhooks may be 1 MiB; every address has its own smaller limit.
MAX_BODY = 2 * 1024 * 1024
# So much of a body in chunks may be sizes and extensions.
MAX_IN_CHUNKS = MAX_BODY + MAX_HEAD
MAX_SIZE_LINE = 8 * 1024
MAX_TRAILERS = 64 * 1024

_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*0*([0-9]{1,15})[ \t]*(?=\r\n)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[^\r\n]*chunked", re.IGNORECASE)
_EXPECT = re.compile(rb"\r\nexpect:[ \t]*100-continue[ \t]*(?=\r\n)", re.IGNORECASE)
# Such a sender knows no interim answers (RFC 9110 §10.1.1), and the server passes over what it expects.
_OLD = re.compile(rb"\A(?:\r\n)?[^\r\n]* HTTP/1\.0\r\n")
_SIZE = re.compile(rb"(0*+[0-9a-f]{1,8}|0++)[ \t]*(?:;[^\r\n]*)?\r\n", re.IGNORECASE)
_SIZE_SO_FAR = re.compile(rb"0*+[0-9a-f]{0,8}[ \t]*(?:;[^\r\n]*)?\r?", re.IGNORECASE)


class RequestBuffer:
    """The bytes of one request so far. `wants_more` is set where the sender waits to be told to go on."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.wants_more = False
        self._looked = 0
        self._ends_at: int | None = None  # where the request ends, once its length is known
        self._chunk_at = 0  # where the next chunk begins, in a body of chunks
        self._in_chunks = 0

    def add(self, data: bytes) -> bool:
        """Take in more bytes. Returns whether the request is whole now, or cannot be waited for."""
        self.data += data
        if self._ends_at is None and not self._chunk_at and not self._read_head():
            return len(self.data) > MAX_HEAD
        if self._chunk_at:
            return self._chunks_are_whole()
        return self._ends_at is None or len(self.data) >= self._ends_at

    def _read_head(self) -> bool:
        """Return whether the head is there; then how the body ends is known."""
        end = self.data.find(_END, max(0, self._looked - len(_END)))
        self._looked = len(self.data)
        if end < 0:
            return False
        if not _OLD.search(self.data, 0, end + 2):
            end = self._without_expectation(end)
        end += len(_END)
        lengths = _LENGTH.findall(self.data, 0, end)
        is_chunked = _CHUNKED.search(self.data, 0, end) is not None
        if is_chunked and not lengths:
            self._chunk_at = end
        else:
            # With two lengths, or a length and chunks, the server refuses it.
            body = int(lengths[0]) if len(lengths) == 1 and not is_chunked else 0
            self._ends_at = end if body > MAX_BODY else end + body
        return True

    def _without_expectation(self, end: int) -> int:
        """`Expect: 100-continue` is answered here, and is not told to the server, which would answer it again."""
        expect = _EXPECT.search(self.data, 0, end + 2)
        if expect is None:
            return end
        self.wants_more = True
        del self.data[expect.start() : expect.end()]
        return end - (expect.end() - expect.start())

    def _chunks_are_whole(self) -> bool:
        while size := _SIZE.match(self.data, self._chunk_at):
            length = int(size[1], 16)
            if not length:
                return self._trailers_are_whole(size.end())
            if self._in_chunks + length > MAX_BODY:
                # Wait for so much of it as is needed to see that it is too large.
                return len(self.data) >= size.end() + MAX_BODY - self._in_chunks + 1
            if len(self.data) < size.end() + length + 2:
                return False
            self._in_chunks += length
            self._chunk_at = size.end() + length + 2
        is_long = len(self.data) - self._chunk_at > MAX_SIZE_LINE or len(self.data) > MAX_IN_CHUNKS
        return is_long or not _SIZE_SO_FAR.fullmatch(self.data, self._chunk_at)

    def _trailers_are_whole(self, at: int) -> bool:
        is_long = len(self.data) - at > MAX_TRAILERS
        return is_long or self.data[at : at + 2] == b"\r\n" or self.data.find(_END, at) >= 0
