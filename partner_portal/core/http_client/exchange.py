"""One HTTP exchange, which ends in time with an answer or a failure and never raises, whatever the other side does.

- The deadline covers everything: DNS, connection, TLS, sending, interim answers, headers, body; for every status.
- Headers and body are limited; only the beginning of a larger body is read.
- Redirects are answers like any other: they are not followed.
- Interim answers (1xx) are skipped, never taken for the answer, and limited in number.
- A connection is reused only after an exchange that kept to the protocol up to its last byte.
"""

import enum
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import SplitResult, quote, urlsplit

import h11

from partner_portal.core.http_client import kept_lines
from partner_portal.core.http_client.proxies import ProxyTunnelError
from partner_portal.core.http_client.sockets import Line, NoConnectionError, Peer

MAX_HEADER_BYTES = 64 * 1024
MAX_INTERIM_ANSWERS = 10
PORTS = {"http": 80, "https": 443}
# The characters that a path or query keeps unquoted; a "%" begins an escape already.
_AS_IT_IS = "%/?:@!$&'()*+,;=~[]"


@dataclass(frozen=True)
class HttpRequest:
    """A request to send. `headers` come without Host and Content-Length; for `addresses` see `Peer`."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True)
class HttpAnswer:
    """A final answer, with header names in lower case. `cut` says that the body is incomplete."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    cut: bool = False


class Failure(enum.StrEnum):
    """The reason why there is no answer."""

    NO_LINE = "no line"  # nothing was sent
    TIMEOUT = "time-out"
    CLOSED = "closed"  # before the answer's last byte
    BROKEN = "broken"  # what came is no HTTP
    UNSENDABLE = "unsendable"  # the request itself: nothing was sent


@dataclass(frozen=True)
class NoAnswer:
    """The result of a failed exchange; `why` is for people, without URLs or text from the other side."""

    failure: Failure
    why: str


def exchange(request: HttpRequest, *, timeout: float, max_body: int, keep: bool = False) -> HttpAnswer | NoAnswer:
    """Send the request and read the answer within `timeout` seconds. Never raises.

    At most `max_body` bytes of the answer's body are read; with 0 the exchange ends with the headers.
    With `keep` the connection stays open for this thread's next exchange with the same peer.
    """
    ends_at = time.monotonic() + timeout
    try:
        peer, head = _address(request)
        line = (kept_lines.take(peer) if keep else None) or Line(peer, ends_at)
        with _Conversation(line, request.method) as conversation:
            answer = conversation.hold(head, request.body, ends_at, max_body)
            if keep and conversation.ended_well:
                conversation.keep_line()
            return answer
    except (NoConnectionError, ProxyTunnelError) as error:
        return NoAnswer(Failure.NO_LINE, str(error))
    except TimeoutError:
        return NoAnswer(Failure.TIMEOUT, "No complete answer within the time-out.")
    except h11.RemoteProtocolError:
        return NoAnswer(Failure.BROKEN, "What came is no complete HTTP answer.")
    except OSError:
        return NoAnswer(Failure.CLOSED, "The connection was closed before the answer was complete.")
    except Exception as error:
        return NoAnswer(Failure.UNSENDABLE, f"The request could not be made: {type(error).__name__}.")


class _Conversation:
    """One request and its answer on a connection, which is closed afterwards unless `keep_line` was called."""

    def __init__(self, line: Line, method: str) -> None:
        self._line = line
        self._machine = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEADER_BYTES)
        self._method = method
        self._by_the_book = True
        self._kept = False

    def __enter__(self) -> "_Conversation":
        return self

    def __exit__(self, *_: object) -> None:
        if not self._kept:
            self._line.close()

    @property
    def ended_well(self) -> bool:
        """Whether both sides are done and nothing but the answer was received."""
        machine = self._machine
        done = machine.our_state is h11.DONE and machine.their_state is h11.DONE
        return self._by_the_book and done and machine.trailing_data == (b"", False)

    def keep_line(self) -> None:
        """Keep the connection open for this thread's next exchange with its peer."""
        self._kept = True
        kept_lines.keep(self._line)

    def hold(self, head: h11.Request, body: bytes | None, ends_at: float, max_body: int) -> HttpAnswer:
        """Send the request and read the answer. Raises OSError or h11.RemoteProtocolError."""
        self._send(head, body, ends_at)
        answer = self._read_head(ends_at)
        headers = {name.decode("ascii"): value.decode("latin-1") for name, value in reversed(answer.headers)}
        is_redirect = 300 <= answer.status_code < 400
        content, cut = self._read_body(ends_at, 0 if is_redirect else max_body)
        if content and headers.get("content-encoding", "").lower() == "gzip":
            content, cut = _unpacked(content, max_body, cut=cut)
        return HttpAnswer(answer.status_code, headers, content, cut)

    def _send(self, head: h11.Request, body: bytes | None, ends_at: float) -> None:
        parts = [self._machine.send(head)]
        if body:
            parts.append(self._machine.send(h11.Data(data=body)))
        parts.append(self._machine.send(h11.EndOfMessage()))
        try:
            self._line.send(b"".join(parts), ends_at)
        except (BrokenPipeError, ConnectionResetError):
            # The server may have answered and closed before it read everything, so go on and read the answer.
            self._by_the_book = False

    def _read_head(self, ends_at: float) -> h11.Response:
        """Return the final answer's head; interim answers before it are skipped."""
        for _ in range(MAX_INTERIM_ANSWERS + 1):
            event = self._next_event(ends_at)
            if isinstance(event, h11.Response):
                return event
            self._by_the_book = False
        raise h11.RemoteProtocolError("Interim answers without end.")

    def _read_body(self, ends_at: float, most: int) -> tuple[bytes, bool]:
        """Return the body's first `most` bytes, and whether the body has more."""
        parts: list[bytes] = []
        size = 0
        while not isinstance(event := self._next_event(ends_at, wait=most > 0), h11.EndOfMessage):
            if not isinstance(event, h11.Data):  # with `most` 0 nothing is waited for
                return b"".join(parts), True
            parts.append(bytes(event.data))
            size += len(event.data)
            if size > most:
                return b"".join(parts)[:most], True
        return b"".join(parts), False

    def _next_event(self, ends_at: float, *, wait: bool = True) -> object:
        while (event := self._machine.next_event()) is h11.NEED_DATA and wait:
            self._machine.receive_data(self._line.receive(ends_at))
        return event


def _unpacked(content: bytes, most: int, *, cut: bool) -> tuple[bytes, bool]:
    """Unpack the first `most` bytes of gzip content, as a small content may unpack to a huge one.

    Return them and whether they are incomplete; content that is not gzip is returned unchanged.
    """
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        return unpacker.decompress(content, most), cut or not unpacker.eof
    except zlib.error:  # it is not gzip
        return content, cut


def _address(request: HttpRequest) -> tuple[Peer, h11.Request]:
    """Return the peer and the request's head. Raises ValueError and the like for a request that cannot be sent."""
    peer, host, target = _destination(request.url, request.addresses)
    headers = {"Host": host, "Accept-Encoding": "gzip", **request.headers}
    if request.body is not None or request.method != "GET":
        # RFC 9110 §8.6: also for an empty body, or some servers answer 411.
        headers["Content-Length"] = str(len(request.body or b""))
    return peer, h11.Request(method=request.method, target=target, headers=list(headers.items()))


@lru_cache(maxsize=256)
def _destination(address: str, addresses: tuple[str, ...]) -> tuple[Peer, str, str]:
    """Return the peer, the Host header and the request target of a URL; cached for many requests to the same URL."""
    url = urlsplit(address)
    if url.scheme not in PORTS or not url.hostname:
        raise ValueError("An address needs a scheme and a host.")
    peer = Peer(url.scheme, url.hostname.encode("idna").decode(), url.port or PORTS[url.scheme], addresses)
    target = quote(url.path or "/", safe=_AS_IT_IS) + (f"?{quote(url.query, safe=_AS_IT_IS)}" if url.query else "")
    return peer, _host(url, peer), target


def _host(url: SplitResult, peer: Peer) -> str:
    host = f"[{peer.host}]" if ":" in peer.host else peer.host
    return host if url.port in (None, PORTS[url.scheme]) else f"{host}:{url.port}"
