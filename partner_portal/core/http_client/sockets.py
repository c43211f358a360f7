"""TCP connections, with TLS for https, on which no step lasts beyond a given deadline.

A deadline (`ends_at`) is a value of `time.monotonic()`. Unlike it, Python's own time-outs restart with every byte.
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

# Seconds. Some of a name's addresses may be dead, so each gets only a part of the time.
CONNECT_TIMEOUT = 3.05
# Names are resolved in threads, because the system's resolver has no time-out; at most this many may hang at once.
MAX_RESOLVING = 32
PIECE = 64 * 1024

_resolving = threading.BoundedSemaphore(MAX_RESOLVING)


class NoConnectionError(OSError):
    """Raised when no connection could be made, so that nothing was sent; `str()` says why."""


# The scheme, the host and the port, and whether only addresses that were checked are connected to.
Origin = tuple[str, str, int, bool]


@dataclass(frozen=True)
class Peer:
    """A server to connect to. `addresses` are checked IP addresses that are used instead of resolving the name."""

    scheme: str
    host: str
    port: int
    addresses: tuple[str, ...] = ()

    @property
    def origin(self) -> Origin:
        """What two peers have in common that may share a connection, whichever addresses their name has by now."""
        return self.scheme, self.host, self.port, bool(self.addresses)


def time_left(ends_at: float) -> float:
    """Return the seconds until the deadline. Raises TimeoutError if it has passed."""
    left = ends_at - time.monotonic()
    if left <= 0:
        raise TimeoutError("The deadline has passed.")
    return left


def resolve(host: str, port: int, ends_at: float) -> list[str]:
    """Return the IP addresses of a name, in the system's order.

    Raises NoConnectionError if there are none or the lookup takes too long.
    """
    permits = _resolving
    if not permits.acquire(timeout=time_left(ends_at)):
        raise NoConnectionError("Too many DNS lookups are under way.")
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
        """Connect, through the configured proxy if there is one.

        Raises NoConnectionError, also if the certificate is not valid for the host.
        """
        self.peer = peer
        self.used_at = time.monotonic()
        if peer.scheme != "https":
            self._socket, self._address = _connected(peer, ends_at)
            return
        # Addresses that were checked to be public are connected to directly, without the proxy.
        proxy = None if peer.addresses else proxy_for(peer.host)
        self._socket, self._address = _connected(Peer("http", proxy.host, proxy.port) if proxy else peer, ends_at)
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
        """Send all bytes. Raises TimeoutError, or another OSError for a broken connection."""
        rest = memoryview(data)
        while rest:
            self._socket.settimeout(time_left(ends_at))
            rest = rest[self._socket.send(rest[:PIECE]) :]

    def receive(self, ends_at: float) -> bytes:
        """Wait for bytes and return them; b"" if the other side has closed. Raises as `send` does."""
        self._socket.settimeout(time_left(ends_at))
        return self._socket.recv(PIECE)

    def may_serve(self, peer: Peer) -> bool:
        """Return whether a request to `peer`, of the same origin, may go over this connection.

        Where the peer's addresses were checked, it leads to one of them: a name's answers change, in order too.
        """
        return not peer.addresses or self._address in peer.addresses

    def is_quiet(self) -> bool:
        """Return whether nothing came since the last answer, neither bytes nor a close."""
        if isinstance(self._socket, ssl.SSLSocket) and self._socket.pending():
            return False
        poll = select.poll()  # unlike `select`, this works with any number of open files
        poll.register(self._socket, select.POLLIN)
        return not poll.poll(0)

    def close(self) -> None:
        """Close the connection at once, without waiting for the other side."""
        self._socket.close()


def _connected(peer: Peer, ends_at: float) -> tuple[socket.socket, str]:
    """Return a connection to the first of the peer's addresses that takes one, and that address."""
    for address in peer.addresses or resolve(peer.host, peer.port, ends_at):
        try:
            line = socket.create_connection((address, peer.port), min(time_left(ends_at), CONNECT_TIMEOUT))
        except TimeoutError:
            why = "No connection within the time-out."
        except OSError as error:
            why = f"No connection: {error.strerror or type(error).__name__}."
        else:
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return line, address
    raise NoConnectionError(why)


def _secured(line: socket.socket, host: str, ends_at: float) -> ssl.SSLSocket:
    # Python applies the time-out to the TLS handshake as a whole.
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
    """Return a TLS context with the system's and certifi's certificates; REQUESTS_CA_BUNDLE replaces certifi's."""
    context = ssl.create_default_context()
    context.load_verify_locations(os.environ.get("REQUESTS_CA_BUNDLE") or certifi.where())
    context.set_alpn_protocols(["http/1.1"])
    return context
