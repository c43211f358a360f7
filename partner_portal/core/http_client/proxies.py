"""The proxy between the portal and the internet, from HTTPS_PROXY and NO_PROXY.

It is used for https only, through a tunnel in which the portal checks the server's own certificate.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies_environment, proxy_bypass

MAX_ANSWER = 64 * 1024


class ProxyTunnelError(OSError):
    """Raised when the proxy cannot be used or does not open the tunnel; `str()` says why."""


@dataclass(frozen=True)
class Proxy:
    """A proxy's host, port and value of `Proxy-Authorization`."""

    host: str
    port: int
    authorization: str = ""


def proxy_for(host: str) -> Proxy | None:
    """Return the proxy to use for `host`; None to connect directly.

    Raises ProxyTunnelError if HTTPS_PROXY is not a valid address.
    """
    written = getproxies_environment().get("https", "")
    if not written or proxy_bypass(host):
        return None
    parts = urlsplit(written if "//" in written else f"//{written}")
    try:
        port = parts.port or 80
    except ValueError:
        raise ProxyTunnelError("HTTPS_PROXY has no readable port.") from None
    if not parts.hostname or parts.scheme not in ("http", ""):
        raise ProxyTunnelError("HTTPS_PROXY must be an address as http://proxy.example:3128.")
    user = f"{unquote(parts.username)}:{unquote(parts.password or '')}" if parts.username else ""
    return Proxy(parts.hostname, port, f"Basic {base64.b64encode(user.encode()).decode()}" if user else "")


def open_tunnel(proxy: Proxy, target: str, send: Callable[[bytes], None], receive: Callable[[], bytes]) -> None:
    """Ask the proxy on an open connection for a tunnel to `target` (`host:port`).

    Raises ProxyTunnelError if the proxy refuses or sends anything but a complete answer.
    """
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    if proxy.authorization:
        lines.append(f"Proxy-Authorization: {proxy.authorization}")
    send("\r\n".join(lines).encode("ascii") + b"\r\n\r\n")
    answer = b""
    while b"\r\n\r\n" not in answer:
        part = receive()
        answer += part
        if not part or len(answer) > MAX_ANSWER:
            raise ProxyTunnelError("The proxy (HTTPS_PROXY) gave no answer.")
    status = answer.split(b" ", 2)[1:2]
    if not answer.startswith(b"HTTP/1.") or not status or not status[0].startswith(b"2"):
        raise ProxyTunnelError("The proxy (HTTPS_PROXY) refuses to connect to the address.")
    if not answer.endswith(b"\r\n\r\n"):
        raise ProxyTunnelError("The proxy (HTTPS_PROXY) sent data after its answer to CONNECT.")
