"""A threaded gunicorn worker that gives a request to a thread only once the request is complete.

The stock worker assigns a thread at a connection's first byte, and the thread waits for the rest: a few dozen slow
senders occupy all threads. Here the event loop collects the bytes of all connections. Until a deadline, a slow sender
takes only the memory for its bytes and no thread. The same holds for a client that does not read its answer.

It is written for gunicorn 27; `tests/end_to_end/test_bodies.py` tests it with real connections.
"""

import math
import selectors
import socket
import time
from contextlib import suppress
from functools import partial
from typing import Any

from gunicorn import http
from gunicorn.http.errors import NoMoreData
from gunicorn.http.unreader import SocketUnreader
from gunicorn.workers.gthread import TConn, ThreadWorker

from partner_portal.core.request_buffer import RequestBuffer
from partner_portal.core.response_buffer import AnswerBuffer

# Seconds from a request's first byte to its last, and from the start of a connection to the request's first byte.
REQUEST_SECONDS = 20.0
FIRST_BYTE_SECONDS = 10.0
# Seconds to wait for the other side to close. Closing at once could cut off the last answer.
LINGER_SECONDS = 2.0
# Seconds for which an answer is kept that its client does not read.
ANSWER_SECONDS = 60.0
STOP_SECONDS = 2.0
# The limit, in each process, for all incomplete requests together and for all unread answers together.
MAX_BYTES = 64 * 1024 * 1024
# Seconds between two checks of the deadlines.
LOOK_EVERY = 0.5
# The number of connections that are kept free for new clients.
SPARE = 50

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_WORDS = b'{"detail": "The request came too slowly."}'
TOO_SLOW = (
    b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(_WORDS), _WORDS)
)


class Gathered(SocketUnreader):  # type: ignore[misc] # gunicorn has no types
    """The bytes that the loop has collected. If they are no complete request, reading fails instead of blocking."""

    def chunk(self, size_hint: int | None = None) -> bytes:
        raise NoMoreData


class Coming:
    """A connection whose request is not complete yet."""

    def __init__(self, conn: TConn) -> None:
        self.conn = conn
        self.buffer = RequestBuffer()
        self.ends_at = time.monotonic() + FIRST_BYTE_SECONDS
        self.counted = 0

    def take(self) -> bool | None:
        """Read the available bytes. Returns whether the request is complete, or None if its sender is gone."""
        try:
            while data := self.conn.sock.recv(64 * 1024):
                if self.add(data):
                    return True
        except BlockingIOError:
            return False
        except OSError:
            return None
        return None

    def add(self, data: bytes) -> bool:
        """Add bytes to the request, and answer `Expect: 100-continue`. Returns whether the request is complete."""
        if not self.buffer.data:
            self.ends_at = time.monotonic() + REQUEST_SECONDS
        is_whole = self.buffer.add(data)
        if self.buffer.wants_more and not is_whole:
            self.buffer.wants_more = False
            with suppress(OSError):
                self.conn.sock.send(CONTINUE)
        return is_whole


class BufferingWorker(ThreadWorker):  # type: ignore[misc] # gunicorn has no types
    """The `worker_class` of `gunicorn.conf.py`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.coming: dict[TConn, Coming] = {}
        self.bytes_coming = 0
        self.looked_at = 0.0
        self.stops_at = math.inf
        self.answering: dict[TConn, tuple[float, AnswerBuffer]] = {}
        self.leaving: dict[TConn, float] = {}

    def enqueue_req(self, conn: TConn) -> None:
        """Read from a connection that is new, has become readable, or has sent more bytes after its request."""
        if self.cfg.is_ssl:
            super().enqueue_req(conn)
            return
        coming = Coming(conn)
        conn.sock.setblocking(False)
        if conn.initialized and (early := conn.parser.unreader.take_buffered()) and coming.add(early):
            self._hand_over(coming)
            return
        match coming.take():
            case True:
                self._hand_over(coming)
            case None:
                self._drop(conn)
            case _:
                self.coming[conn] = coming
                self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._more, coming))
                self._count(coming)

    def _more(self, coming: Coming, _sock: object) -> None:
        if self.coming.get(coming.conn) is not coming:
            return  # an event before this one in the same round has ended it
        match coming.take():
            case True:
                self._forget(coming.conn)
                self._hand_over(coming)
            case None:
                self._forget(coming.conn)
                self._drop(coming.conn)
            case _:
                self._count(coming)

    def _hand_over(self, coming: Coming) -> None:
        """Give a complete request to a thread."""
        conn = coming.conn
        if not conn.initialized:
            conn.parser = http.get_parser(self.cfg, conn.sock, conn.client)
            conn.parser.unreader = Gathered(conn.sock)
            conn.initialized = True
        conn.parser.unreader.unread(bytes(coming.buffer.data))
        super().enqueue_req(conn)

    def _count(self, grown: Coming) -> None:
        """Count the new bytes, and end the oldest incomplete requests while all together exceed MAX_BYTES."""
        self.bytes_coming += len(grown.buffer.data) - grown.counted
        grown.counted = len(grown.buffer.data)
        while len(self.coming) > 1 and self.bytes_coming > MAX_BYTES:
            self._end(next(iter(self.coming.values())))

    def murder_pending(self) -> None:
        """Make room for new connections, and end those past their deadline.

        The loop calls this after each round of events, at least once a second.
        """
        while self.nr_conns > self.worker_connections - SPARE and self._make_room():
            continue
        now = time.monotonic()
        if now - self.looked_at < LOOK_EVERY:
            return
        self.looked_at = now
        if not self.alive:
            self.stops_at = min(self.stops_at, now + STOP_SECONDS)
        for coming in list(self.coming.values()):
            if min(coming.ends_at, self.stops_at) <= now:
                self._end(coming)
        unread = [conn for conn, (ends_at, _) in self.answering.items() if min(ends_at, self.stops_at) <= now]
        for conn in unread:
            self._give_up(conn)
        for conn in [conn for conn, ends_at in self.leaving.items() if ends_at <= now]:
            self._left(conn)

    def _make_room(self) -> bool:
        """Close one connection that no thread is working on. Returns whether there was one.

        Connections that wait only for the other side to close go first. Else the largest group (slow senders, slow
        readers, idle connections) loses its oldest, so that no group keeps the others out.
        """
        slow, unread, resting = len(self.coming), len(self.answering), len(self.keepalived_conns)
        if self.leaving:
            self._left(next(iter(self.leaving)))
        elif slow and slow >= max(unread, resting):
            self._end(next(iter(self.coming.values())))
        elif unread and unread >= resting:
            self._give_up(next(iter(self.answering)))
        elif resting:
            conn = self.keepalived_conns.popleft()
            self.poller.unregister(conn.sock)
            self._drop(conn)
        else:
            return False
        return True

    def _end(self, coming: Coming) -> None:
        self._forget(coming.conn)
        if not coming.buffer.data:
            self._drop(coming.conn)
            return
        with suppress(OSError):
            coming.conn.sock.send(TOO_SLOW)
        self._leave(coming.conn)

    def _forget(self, conn: TConn) -> None:
        self.bytes_coming -= self.coming.pop(conn).counted
        self.poller.unregister(conn.sock)

    def _drop(self, conn: TConn) -> None:
        self.nr_conns -= 1
        conn.close()

    def handle_request(self, req: Any, conn: TConn) -> bool:
        """Handle a request in a thread, which writes its answer to a buffer and does not wait for the reader."""
        sock = conn.sock
        conn.sock = conn.answer = AnswerBuffer(sock, ANSWER_SECONDS)
        try:
            return bool(super().handle_request(req, conn))
        finally:
            conn.sock = sock

    def finish_request(self, conn: TConn, fs: Any) -> None:
        """Finish a request in the loop, which sends the rest of the answer as the client reads it."""
        answer: AnswerBuffer | None = getattr(conn, "answer", None)
        if answer is None or not answer.waiting:
            self._finish(conn, fs)
            return
        try:
            conn.sock.setblocking(False)
            self.poller.register(conn.sock, selectors.EVENT_WRITE, partial(self._send_more, conn, fs))
        except (OSError, ValueError):  # the thread closed it as the answer failed
            self._drop(conn)
            return
        self.answering[conn] = time.monotonic() + ANSWER_SECONDS, answer
        while sum(len(one.waiting) for _ends_at, one in self.answering.values()) > MAX_BYTES:
            self._give_up(next(iter(self.answering)))

    def _send_more(self, conn: TConn, fs: Any, _sock: object) -> None:
        if conn not in self.answering:
            return
        try:
            is_sent = self.answering[conn][1].push()
        except OSError:
            self._give_up(conn)
            return
        if is_sent:
            del self.answering[conn]
            self.poller.unregister(conn.sock)
            self._finish(conn, fs)

    def _give_up(self, conn: TConn) -> None:
        del self.answering[conn]
        self.poller.unregister(conn.sock)
        self._drop(conn)

    def _finish(self, conn: TConn, fs: Any) -> None:
        """Close the connection without blocking; the stock worker lets the loop wait two seconds for the peer."""
        is_over = fs.cancelled() or fs.exception() is not None or not fs.result()
        if is_over and not self.cfg.is_ssl:
            self._leave(conn)
        else:
            super().finish_request(conn, fs)

    def _leave(self, conn: TConn) -> None:
        """Shut down the sending side, and close once the other side has closed (RFC 9112 §9.6)."""
        try:
            conn.sock.setblocking(False)
            conn.sock.shutdown(socket.SHUT_WR)
            self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._listen, conn))
        except (OSError, ValueError, KeyError):
            self._drop(conn)
        else:
            self.leaving[conn] = time.monotonic() + LINGER_SECONDS

    def _listen(self, conn: TConn, _sock: object) -> None:
        if conn not in self.leaving:
            return
        try:
            if conn.sock.recv(64 * 1024):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self._left(conn)

    def _left(self, conn: TConn) -> None:
        del self.leaving[conn]
        self.poller.unregister(conn.sock)
        self._drop(conn)
