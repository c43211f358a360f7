"""Detection of PostgreSQL connections that were closed while idle, for example by a restart of the server.

Django keeps a connection for ten minutes and would notice only when a request fails, but Altegio sends a callback
only once. Django's own check (`CONN_HEALTH_CHECKS`) queries the server in every request; a look at the socket takes
microseconds.
"""

import select
from typing import Any

from django.core.signals import request_started
from django.db import connections
from psycopg import Connection, OperationalError


def watch_lines() -> None:
    """Check the connections of this process at the start of every request from now on."""
    request_started.connect(close_stale_connections)


def close_stale_connections(**_: Any) -> None:
    """Close dead connections; the next query opens a new one."""
    for line in connections.all(initialized_only=True):
        if isinstance(line.connection, Connection) and not line.in_atomic_block and _is_dead(line.connection):
            line.close()


def _is_dead(line: "Connection[Any]") -> bool:
    """Return whether the server has closed this idle connection: data on it can only be the server's last message."""
    try:
        return bool(select.select([line.fileno()], [], [], 0)[0])
    except (OperationalError, OSError, ValueError):
        return True
