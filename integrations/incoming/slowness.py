"""A sender that takes its time holds one of the server's threads: only for so long.

Altegio's own bodies come in one piece. The watch closes the reading side of a connection whose body is
late; the reader then finds the body too short. Behind a buffering proxy it never has anything to do.
"""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.http import HttpRequest

MOST_SECONDS = 5.0
LOOK_EVERY = 0.5


class Watch:
    """The bodies that are being read in this process, and since when."""

    def __init__(self) -> None:
        self._reading: dict[int, tuple[float, socket.socket]] = {}
        self._started = threading.Lock()

    @contextmanager
    def over(self, request: HttpRequest) -> Iterator[None]:
        """While the body of `request` is read; where the server does not show its socket, nothing is watched."""
        connection = request.META.get("gunicorn.socket")
        if not isinstance(connection, socket.socket):
            yield
            return
        if self._started.acquire(blocking=False):
            threading.Thread(target=self._look, name="slow-senders", daemon=True).start()
        self._reading[id(connection)] = time.monotonic() + MOST_SECONDS, connection
        try:
            yield
        finally:
            self._reading.pop(id(connection), None)

    def _look(self) -> None:
        while True:
            time.sleep(LOOK_EVERY)
            self.end_late()

    def end_late(self) -> int:
        """Stop waiting for the bodies that are late. Returns how many."""
        now = time.monotonic()
        late = [connection for ends_at, connection in list(self._reading.values()) if ends_at < now]
        for connection in late:
            try:
                connection.shutdown(socket.SHUT_RD)
            except OSError:
                continue  # it is closed already
        return len(late)


watch = Watch()
