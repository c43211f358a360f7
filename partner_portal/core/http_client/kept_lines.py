"""The connections that a thread keeps open for its next exchanges with the same peers: few, and none for long."""

import threading
import time

from partner_portal.core.http_client.sockets import Line, Origin, Peer

# Servers close idle connections; one that was idle for this many seconds is not reused.
MAX_REST = 30.0
# For each thread: all threads of a process share its limit of open files, which may be about a thousand.
MAX_KEPT = 8

_local = threading.local()


def take(peer: Peer) -> Line | None:
    """Return this thread's open connection to the peer if it was idle only briefly and nothing came on it.

    Every connection of the thread that was idle for long is closed, since its peer may never be asked again.
    """
    lines = _lines()
    _close_rested(lines)
    line = lines.pop(peer.origin, None)
    if line is None:
        return None
    if line.may_serve(peer) and line.is_quiet():
        return line
    line.close()
    return None


def keep(line: Line) -> None:
    """Keep the connection for this thread's next exchange with its peer, and close the idlest of too many."""
    lines = _lines()
    line.used_at = time.monotonic()
    lines[line.peer.origin] = line
    while len(lines) > MAX_KEPT:
        lines.pop(next(iter(lines))).close()


def _close_rested(lines: dict[Origin, Line]) -> None:
    last_used_before = time.monotonic() - MAX_REST
    for origin in [origin for origin, line in lines.items() if line.used_at <= last_used_before]:
        lines.pop(origin).close()


def _lines() -> dict[Origin, Line]:
    """Return this thread's connections, the idlest first: a connection that is used is taken out and put in anew."""
    if not hasattr(_local, "lines"):
        _local.lines = {}
    lines: dict[Origin, Line] = _local.lines
    return lines
