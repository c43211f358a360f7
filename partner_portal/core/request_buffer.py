"""Detection of a request's end while its bytes arrive, so that no thread has to wait for the rest.

It decides only when a request is given to a thread. The server's own parser reads the request and refuses it if it
is malformed, so a malformed request counts as complete here.
"""

import re

# The longest arrival is a URL of 300 KB; gunicorn itself refuses longer lines and headers.
MAX_HEAD = 1024 * 1024
# Entity webhooks may have 1 MiB; every endpoint has its own smaller limit.
MAX_BODY = 2 * 1024 * 1024
# A chunked body may be larger by the bytes of its chunk sizes and extensions.
MAX_IN_CHUNKS = MAX_BODY + MAX_HEAD
MAX_SIZE_LINE = 8 * 1024
MAX_TRAILERS = 64 * 1024

_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*0*([0-9]{1,15})[ \t]*(?=\r\n)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[^\r\n]*chunked", re.IGNORECASE)
_EXPECT = re.compile(rb"\r\nexpect:[ \t]*100-continue[ \t]*(?=\r\n)", re.IGNORECASE)
# An HTTP/1.0 client knows no interim answers (RFC 9110 §10.1.1), and the server ignores its `Expect`.
_OLD = re.compile(rb"\A(?:\r\n)?[^\r\n]* HTTP/1\.0\r\n")
_SIZE = re.compile(rb"(0*+[0-9a-f]{1,8}|0++)[ \t]*(?:;[^\r\n]*)?\r\n", re.IGNORECASE)
_SIZE_SO_FAR = re.compile(rb"0*+[0-9a-f]{0,8}[ \t]*(?:;[^\r\n]*)?\r?", re.IGNORECASE)


class RequestBuffer:
    """The bytes of one request so far. `wants_more` says that the sender waits for `100 Continue`."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.wants_more = False
        self._looked = 0
        self._ends_at: int | None = None  # where the request ends, once its length is known
        self._chunk_at = 0  # where the next chunk begins, in a body of chunks
        self._in_chunks = 0

    def add(self, data: bytes) -> bool:
        """Add bytes. Returns whether the request is complete, or is too large or malformed to wait for the rest."""
        self.data += data
        if self._ends_at is None and not self._chunk_at and not self._read_head():
            return len(self.data) > MAX_HEAD
        if self._chunk_at:
            return self._chunks_are_whole()
        return self._ends_at is None or len(self.data) >= self._ends_at

    def _read_head(self) -> bool:
        """Return whether the head is complete; if so, note where the body ends or where its chunks begin."""
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
            # The server refuses a request with two lengths, or with a length and chunks.
            body = int(lengths[0]) if len(lengths) == 1 and not is_chunked else 0
            self._ends_at = end if body > MAX_BODY else end + body
        return True

    def _without_expectation(self, end: int) -> int:
        """Remove `Expect: 100-continue`, set `wants_more` and return the head's new end.

        The worker answers it; the server would answer it again.
        """
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
                # Wait only for as many bytes as show that the body is too large.
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
