"""Lines to PostgreSQL that were cut while nobody used them, as by its restart.

Django keeps a line for ten minutes and would find out by a request that fails: Altegio tells a callback once. Its
own check (`CONN_HEALTH_CHECKS`) asks the server in every request; looking at the socket costs microseconds.
"""

import select
from typing import Any

from django.core.signals import request_started
from django.db import connections
from psycopg import Connection, OperationalError


def watch_lines() -> None:
    """From now on every request of this process begins on lines that live."""
    request_started.connect(close_stale_connections)


def close_stale_connections(**_: Any) -> None:
    """Close the lines that are dead; the next query opens a new one."""
    for line in connections.all(initialized_only=True):
        if isinstance(line.connection, Connection) and not line.in_atomic_block and _is_dead(line.connection):
            line.close()


def _is_dead(line: "Connection[Any]") -> bool:
    """Whether the server has closed this idle connection: unrequested data on it is the server's farewell message."""
    try:
        return bool(select.select([line.fileno()], [], [], 0)[0])
    except (OperationalError, OSError, ValueError):
        return True
