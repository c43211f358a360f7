"""Lines: TCP connections, with TLS where the scheme asks for it, on which no step lasts beyond a given end.

An end is a moment of `time.monotonic()`. Python's own time-outs begin anew with every byte; these do not.
"""

import os
import select
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from functools import cache
from queue import Empty, SimpleQueue

import certifi

from partner_portal.core.http_client.proxies import Proxy, open_tunnel, proxy_for

# The first of several addresses may be dead: the others get their turn.
CONNECT_TIMEOUT = 3.05
# Names are asked for in threads, because the system's resolver knows no end; so many may hang at once.
MAX_RESOLVING = 32
PIECE = 64 * 1024

_resolving = threading.BoundedSemaphore(MAX_RESOLVING)


class NoConnectionError(OSError):
    """There is no line to the other side, so nothing was sent; `str()` says why."""


@dataclass(frozen=True)
class Peer:
    """Who is called. `addresses`: the checked IP addresses to connect to, instead of what the name leads to."""

    scheme: str
    host: str
    port: int
    addresses: tuple[str, ...] = ()


def time_left(ends_at: float) -> float:
    """Seconds until the end. Raises TimeoutError when it has come."""
    left = ends_at - time.monotonic()
    if left <= 0:
        raise TimeoutError("The time is over.")
    return left


def resolve(host: str, port: int, ends_at: float) -> list[str]:
    """The IP addresses of a name, in the system's order.

    Raises NoConnectionError for one that has none, or not in time.
    """
    permits = _resolving
    if not permits.acquire(timeout=time_left(ends_at)):
        raise NoConnectionError("Too many names are being asked for.")
    found: SimpleQueue[list[str]] = SimpleQueue()
    threading.Thread(target=_look_up, args=(host, port, found, permits), daemon=True).start()
    try:
        addresses = found.get(timeout=max(ends_at - time.monotonic(), 0.001))
    except Empty:
        raise NoConnectionError("The name was not resolved in time.") from None
    if not addresses:
        raise NoConnectionError("The name cannot be resolved.")
    return addresses


def _look_up(host: str, port: int, found: "SimpleQueue[list[str]]", permits: threading.BoundedSemaphore) -> None:
    try:
        answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        found.put(list(dict.fromkeys(str(answer[4][0]) for answer in answers)))
    except (OSError, ValueError, OverflowError):
        found.put([])
    finally:
        permits.release()


class Line:
    """An open connection to a peer."""

    def __init__(self, peer: Peer, ends_at: float) -> None:
        """Connect, through the host's proxy where it has one.

        Raises NoConnectionError, also for another host's certificate.
        """
        self.peer = peer
        self.used_at = time.monotonic()
        if peer.scheme != "https":
            self._socket = _connected(peer, ends_at)
            return
        # What was checked to be a public address is connected to directly.
        proxy = None if peer.addresses else proxy_for(peer.host)
        self._socket = _connected(Peer("http", proxy.host, proxy.port) if proxy else peer, ends_at)
        if proxy:
            self._lead_through(proxy, ends_at)
        self._socket = _secured(self._socket, peer.host, ends_at)

    def _lead_through(self, proxy: Proxy, ends_at: float) -> None:
        host = f"[{self.peer.host}]" if ":" in self.peer.host else self.peer.host
        try:
            open_tunnel(
                proxy,
                f"{host}:{self.peer.port}",
                lambda data: self.send(data, ends_at),
                lambda: self.receive(ends_at),
            )
        except OSError as error:
            self.close()
            raise NoConnectionError(str(error) or "The proxy (HTTPS_PROXY) hung up.") from None

    def send(self, data: bytes, ends_at: float) -> None:
        """Send all of it. Raises TimeoutError, or another OSError for a broken line."""
        rest = memoryview(data)
        while rest:
            self._socket.settimeout(time_left(ends_at))
            rest = rest[self._socket.send(rest[:PIECE]) :]

    def receive(self, ends_at: float) -> bytes:
        """Return what has come, at least a byte; b"" at the line's end. Raises as `send` does."""
        self._socket.settimeout(time_left(ends_at))
        return self._socket.recv(PIECE)

    def is_quiet(self) -> bool:
        """Return whether nothing has come unasked: neither an end nor bytes that belong to no answer."""
        if isinstance(self._socket, ssl.SSLSocket) and self._socket.pending():
            return False
        poll = select.poll()  # unlike `select`, for as many open files as a process may have
        poll.register(self._socket, select.POLLIN)
        return not poll.poll(0)

    def close(self) -> None:
        """End it at once; no answer is waited for."""
        self._socket.close()


def _connected(peer: Peer, ends_at: float) -> socket.socket:
    for address in peer.addresses or resolve(peer.host, peer.port, ends_at):
        try:
            line = socket.create_connection((address, peer.port), min(time_left(ends_at), CONNECT_TIMEOUT))
        except TimeoutError:
            why = "No connection within the time-out."
        except OSError as error:
            why = f"No connection: {error.strerror or type(error).__name__}."
        else:
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return line
    raise NoConnectionError(why)


def _secured(line: socket.socket, host: str, ends_at: float) -> ssl.SSLSocket:
    # The time-out of a handshake is one for the whole of it.
    try:
        line.settimeout(time_left(ends_at))
        return _context().wrap_socket(line, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        line.close()
        raise NoConnectionError(f"The certificate is not accepted: {error.verify_message}.") from None
    except (OSError, ValueError) as error:
        line.close()
        raise NoConnectionError(f"No TLS connection: {type(error).__name__}.") from None


@cache
def _context() -> ssl.SSLContext:
    """The system's certificates, and certifi's for hosts that have none; REQUESTS_CA_BUNDLE replaces these."""
    context = ssl.create_default_context()
    context.load_verify_locations(os.environ.get("REQUESTS_CA_BUNDLE") or certifi.where())
    context.set_alpn_protocols(["http/1.1"])
    return context
